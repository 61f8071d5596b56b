-- In each province all who entered, minus all who left, are there on the as-of day.
with moved as (
    select
        province,
        sum(case when move in ('joined', 'transferred_in', 'returned') then 1 else -1 end) as persons,
    from province_moves
    where day <= (select as_of from publication)
    group by all
),

there as (
    select province, count(distinct person_id) as persons
    from spells
    where hired_on <= (select as_of from publication) and end_day > (select as_of from publication)
    group by all
)

select province, moved.persons as moved, there.persons as there
from moved
full join there using (province)
where coalesce(moved.persons, 0) <> coalesce(there.persons, 0)
