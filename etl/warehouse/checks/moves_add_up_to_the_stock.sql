-- In each province and in the nation all who entered, minus all who left, are there: on the as-of day and a year before.
with moments as (
    select unnest([as_of, as_of - 365]) as moment
    from publication
),

entered_and_left as (
    select province as place, day, move
    from province_moves
    union all
    select 'IR', day, move
    from nation_moves
),

moved as (
    select
        moment,
        place,
        sum(case when move in ('joined', 'transferred_in', 'returned') then 1 else -1 end) as persons,
    from entered_and_left
    inner join moments on day <= moment
    group by all
),

there as (
    select moment, coalesce(province::varchar, 'IR') as place, count(distinct person_id) as persons
    from spells
    inner join moments on hired_on <= moment and end_day > moment
    group by grouping sets ((moment, province), (moment))
)

select place, moment, moved.persons as moved, there.persons as there
from moved
full join there using (moment, place)
where coalesce(moved.persons, 0) <> coalesce(there.persons, 0)
