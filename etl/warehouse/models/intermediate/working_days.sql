-- One row per province and day from the first complete file on; `elapsed` is the number of working days until its end.
with days as (
    select calendar.day, list_contains(weekends.weekdays, isodow(calendar.day)) as is_weekend
    from calendar
    asof inner join weekends on weekends.valid_from <= calendar.day
    where
        calendar.day >= (select min(file_complete_on) from loaded_licences)
        -- A year on, so that each file has the day from which it is overdue.
        and calendar.day <= (select built_on + 366 from publication)
),

places as (
    select distinct province
    from institutes
)

select
    places.province,
    days.day,
    -- A row of the province is more specific than one of the nation.
    cast(
        sum(
            case coalesce(provincial.kind, national.kind)
                when 'workday' then 1
                when 'holiday' then 0
                when 'closure' then 0
                else (not days.is_weekend)::integer
            end
        ) over (partition by places.province order by days.day) as integer
    ) as elapsed,
from places
cross join days
left join official_days as national
    on national.date = days.day
    and national.province is null
left join official_days as provincial
    on provincial.date = days.day
    and provincial.province = places.province
order by places.province, days.day
