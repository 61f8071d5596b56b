-- One row per institute and unbroken interval of licensed days, half-open.
with granted as (
    select
        institutes.institute_code,
        applications.valid_from as first_day,
        least(applications.valid_until + 1, institutes.stopped_on) as end_day,
    from applications
    inner join institutes using (institute_code)
    where applications.outcome = 'granted'
),

reached as (
    select
        *,
        max(end_day) over (
            partition by institute_code
            order by first_day, end_day
            rows between unbounded preceding and 1 preceding
        ) as reach,
    from granted
    where first_day < end_day
),

-- Rows of the same days count together: each sort may order them anew.
numbered as (
    select
        *,
        count(*) filter (where reach is null or first_day > reach) over (
            partition by institute_code
            order by first_day, end_day
        ) as stretch,
    from reached
),

stretches as (
    select institute_code, min(first_day) as valid_from, max(end_day) as valid_until
    from numbered
    group by institute_code, stretch
)

select
    institute_code,
    province,
    county,
    activity,
    smart_services,
    smart,
    veteran_led,
    founded_on,
    valid_from,
    valid_until,
from stretches
inner join institutes using (institute_code)
order by institute_code, valid_from
