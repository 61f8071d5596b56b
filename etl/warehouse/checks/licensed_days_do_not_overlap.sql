-- An institute's licensed days do not overlap.
with ordered as (
    select
        institute_code,
        valid_from,
        valid_until,
        lag(valid_until) over (partition by institute_code order by valid_from) as before,
    from licensed_days
)

select institute_code, valid_from
from ordered
where before >= valid_from or valid_until <= valid_from
