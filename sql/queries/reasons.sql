-- What kept rows out of the tables: by month, table and reason, the most frequent first.
select
    month,
    "table",
    fate,
    reason,
    count(*) as rows
from (select month, "table", fate, unnest(reasons) as reason from rejected)
group by all
order by month, "table", rows desc, reason
