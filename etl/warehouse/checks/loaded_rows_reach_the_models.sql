-- Every row that was loaded is in the table that numbers are counted from, and nothing else is.
with loaded as (
    select source_table, sum(rows_loaded)::bigint as rows
    from load_files
    group by all
),

modelled as (
    select 'institutes' as source_table, count(*) as rows from institutes
    union all
    select 'licences', count(*) from applications
    union all
    select 'personnel', count(*) from spells
)

select *
from modelled
left join loaded using (source_table)
where modelled.rows <> coalesce(loaded.rows, 0)
union all
select 'training', loaded.rows, count(*)
from loaded, completions
where loaded.source_table = 'training'
group by all
having count(*) > loaded.rows
