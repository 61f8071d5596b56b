-- A spell is in one state on any day.
with ordered as (
    select
        person_id,
        institute_code,
        hired_on,
        valid_from,
        valid_until,
        lag(valid_until) over (partition by person_id, institute_code, hired_on order by valid_from) as before,
    from service
)

select person_id, institute_code, valid_from
from ordered
where before > valid_from or valid_until <= valid_from
