-- What the archive holds, by day: hours read (`hours`), of them thin, and missing ones; lines,
-- events of pull requests with their share of the lines in percent (4 to 9 is normal), and merges.
select
    hour::date as day,
    count(lines) as hours,
    count(*) filter (is_thin) as thin,
    count_if(status = 'missing') as missing,
    sum(lines) as lines,
    sum(pull_request_events) as pull_requests,
    round(100 * sum(pull_request_events) / nullif(sum(lines), 0), 2) as percent,
    sum(merges) as merges
from hours
where status <> 'pending'
group by day
order by day
