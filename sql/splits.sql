-- One row per task. A family of forks is in eval where the hash of its root falls below the share,
-- so that no repository ever moves, and a larger share of eval holds a smaller one.
select
    repository_id,
    number,
    fork_root_id,
    case
        -- 12 hexadecimal digits are 48 bits, and a double holds them exactly.
        when
            ('0x' || sha256($salt || ':' || fork_root_id)[:12])::bigint / 16 ** 12
            < $eval_percent / 100.0
            then 'eval'
        else 'train'
    end as split
from tasks
order by repository_id, number
