-- One row per issue that a pull request says to close and that an event kept tells of. Of several
-- events the earliest wins: what was edited after the fix may give it away. Keys are chosen first:
-- texts are read once, for the chosen rows.
with linked as (
    select
        repository_id,
        number,
        merged_at,
        unnest(linked_issues) as issue
    from pull_requests
),

chosen as (
    select
        linked.repository_id,
        linked.number,
        linked.issue,
        arg_min(
            {'hour': events.hour, 'line': events.line},
            {'created_at': events.created_at, 'hour': events.hour, 'line': events.line}
        ) as place
    from linked
    inner join events
        on linked.repository_id = events.repository_id
        and linked.issue = events.number
    where
        events.type = 'IssuesEvent'
        and linked.issue != linked.number
        and trim(events.title) != ''
        and coalesce(events.opened_at, events.created_at) <= linked.merged_at
    group by linked.repository_id, linked.number, linked.issue
)

select
    chosen.repository_id,
    chosen.number,
    chosen.issue,
    events.title,
    events.body,
    events.author,
    events.author_type,
    events.labels,
    events.opened_at,
    events.created_at as told_at,
    'archive' as source
from chosen
inner join events
    on chosen.place.hour = events.hour
    and chosen.place.line = events.line
order by chosen.repository_id, chosen.number, chosen.issue
