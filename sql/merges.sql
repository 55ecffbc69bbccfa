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
),

-- What GitHub itself lists: within the hours that are wanted, and once, whatever names led to it.
listed as (
    select *
    from found
    where $hours is null or list_contains($hours, date_trunc('hour', merged_at))
    qualify row_number() over (partition by repository_id, number order by merged_at) = 1
)

select
    coalesce(events.repository_id, listed.repository_id) as repository_id,
    coalesce(events.number, listed.number) as number,
    coalesce(events.repo, listed.repo) as repo,
    coalesce(events.merged_at, listed.merged_at, events.created_at) as merged_at,
    coalesce(events.merger, listed.merger, events.actor) as merger,
    coalesce(events.author, listed.author, openers.author) as author,
    coalesce(events.author_type, listed.author_type, openers.author_type) as author_type,
    coalesce(events.title, listed.title) as title,
    -- Who tells a title and no body had none then; one of today may tell of the fix.
    if(events.title is null, listed.body, events.body) as body,
    coalesce(events.head_sha, listed.head_sha) as head_sha,
    coalesce(events.head_ref, listed.head_ref) as head_ref,
    coalesce(events.base_ref, listed.base_ref) as base_ref,
    coalesce(events.base_sha, listed.base_sha) as base_sha,
    coalesce(events.merge_commit, listed.merge_commit) as merge_commit,
    coalesce(events.pull_request_id, listed.pull_request_id) as pull_request_id,
    if(events.repository_id is null, $source, 'archive') as source
from chosen
inner join events
    on chosen.place.hour = events.hour
    and chosen.place.line = events.line
full join listed
    on events.repository_id = listed.repository_id
    and events.number = listed.number
left join openers
    on events.repository_id = openers.repository_id
    and events.number = openers.number
order by 1, 2
