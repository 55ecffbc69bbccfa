-- One row per issue that a pull request says to close and that an event kept, or GitHub, tells of.
-- Of several events the earliest wins, and any of them over GitHub's words of today: what was edited
-- after the fix may give it away. Keys are chosen first: texts are read once, for the chosen rows.
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
),

archived as (
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
        null::timestamp as edited_at,
        events.created_at as told_at,
        'archive' as source
    from chosen
    inner join events
        on chosen.place.hour = events.hour
        and chosen.place.line = events.line
),

listed as (
    select
        repository_id,
        number,
        merged_at,
        unnest(issues) as told
    from pull_requests
),

asked as (
    select
        listed.repository_id,
        listed.number,
        listed.told.number as issue,
        listed.told.title as title,
        listed.told.body as body,
        listed.told.author as author,
        listed.told.author_type as author_type,
        null::varchar[] as labels,
        listed.told.opened_at as opened_at,
        listed.told.edited_at as edited_at,
        null::timestamp as told_at,
        'github' as source
    from listed
    anti join chosen
        on listed.repository_id = chosen.repository_id
        and listed.number = chosen.number
        and listed.told.number = chosen.issue
    where
        trim(listed.told.title) != ''
        and listed.told.opened_at <= listed.merged_at
)

select * from archived
union all
select * from asked
order by repository_id, number, issue
