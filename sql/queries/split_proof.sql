-- No row: no repository, no family of forks and no patch is both in train and in eval, in all months.
with placed as (
    select
        splits.split,
        splits.repository_id,
        tasks.patch_id,
        tasks.instance_id,
        coalesce(repositories.fork_root_id, splits.fork_root_id) as fork_root_id
    from splits
    left join tasks using (month, repository_id, number)
    left join repositories using (month, repository_id)
),

parties as (
    select 'repository' as what, repository_id::varchar as id, split, instance_id from placed
    union all
    select 'fork family', fork_root_id::varchar, split, instance_id from placed
    union all
    select 'patch', patch_id, split, instance_id from placed where patch_id is not null
)

select
    what,
    id,
    array_agg(instance_id order by instance_id) filter (where split = 'train') as train,
    array_agg(instance_id order by instance_id) filter (where split = 'eval') as eval
from parties
group by what, id
having count(distinct split) > 1
order by what, id
