-- The running totals at the last month's end are what counting its rows gives.
with last_month as (select max(day) as last_day from preaggregate where is_total),

totals as (
    select sum(in_service) as in_service, sum(active_assistants) as active, sum(compliant_assistants) as compliant
    from preaggregate, last_month
    where is_total and day = last_day
),

counted as (
    select
        count(distinct person_id) as in_service,
        count(distinct person_id) filter (where is_licensed) as active,
    from service, last_month
    where not is_many and valid_from <= last_day and valid_until > last_day
),

compliant as (
    select count(distinct person_id) filter (where lapses_on > last_day) as compliant
    from compliance_intervals, last_month
    where not is_many and valid_from <= last_day and valid_until > last_day
)

select totals.in_service, counted.in_service as counted
from totals, counted, compliant
where
    totals.in_service <> counted.in_service
    or totals.active <> counted.active
    or totals.compliant <> compliant.compliant
