-- The running totals at the last month's end are what counting its rows gives.
with last_month as (select max(day) as day from preaggregate where is_total),

totals as (
    select sum(in_service) as in_service, sum(active_assistants) as active, sum(compliant_assistants) as compliant
    from preaggregate
    where is_total and day = (select day from last_month)
),

counted as (
    select
        count(distinct person_id) as in_service,
        count(distinct person_id) filter (where is_licensed) as active,
    from service
    where not is_many and valid_from <= (select day from last_month) and valid_until > (select day from last_month)
),

compliant as (
    select count(distinct person_id) filter (where lapses_on > (select day from last_month)) as compliant
    from compliance_intervals
    where not is_many and valid_from <= (select day from last_month) and valid_until > (select day from last_month)
)

select totals.in_service, counted.in_service as counted
from totals, counted, compliant
where
    (select day from last_month) is not null
    and (
        totals.in_service <> counted.in_service
        or totals.active <> counted.active
        or totals.compliant <> compliant.compliant
    )
