-- What the archive holds, by hour: lines, events of pull requests with their share of the lines in
-- percent (4 to 9 is normal), merges, and whether that is far less than it should be (`detail` in
-- hours says why).
select
    hour,
    status,
    lines,
    pull_request_events as pull_requests,
    round(100 * pull_request_events / nullif(lines, 0), 2) as percent,
    merges,
    is_thin
from hours
where status <> 'pending'
order by hour
