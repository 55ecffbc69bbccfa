-- One row per merged pull request. Event ids repeat in 2026, so the pull request itself is the key;
-- of several events that tell of one merge, a full payload outranks a trimmed one, then the earliest.
-- Keys are chosen first: texts are read once, for the chosen rows.
with chosen as (
    select
        repository_id,
        number,
        arg_min(
            {'hour': hour, 'line': line},
            {'is_trimmed': merged_at is null, 'created_at': created_at, 'hour': hour, 'line': line}
        ) as place
    from events
    where is_merge
    group by repository_id, number
),

-- A trimmed merge does not name its author; whoever opened the pull request is its author.
openers as (
    select
        repository_id,
        number,
        arg_min(coalesce(author, actor), {'created_at': created_at, 'hour': hour, 'line': line})
            as author,
        arg_min(author_type, {'created_at': created_at, 'hour': hour, 'line': line}) as author_type
    from events
    where type = 'PullRequestEvent' and action = 'opened' and coalesce(author, actor) is not null
    group by repository_id, number
)

select
    events.repository_id,
    events.number,
    events.repo,
    coalesce(events.merged_at, events.created_at) as merged_at,
    coalesce(events.merger, events.actor) as merger,
    coalesce(events.author, openers.author) as author,
    coalesce(events.author_type, openers.author_type) as author_type,
    events.title,
    events.body,
    events.head_sha,
    events.head_ref,
    events.base_ref,
    events.base_sha,
    events.merge_commit,
    events.pull_request_id,
    'archive' as source
from chosen
inner join events
    on chosen.place.hour = events.hour
    and chosen.place.line = events.line
left join openers
    on events.repository_id = openers.repository_id
    and events.number = openers.number
order by events.repository_id, events.number
