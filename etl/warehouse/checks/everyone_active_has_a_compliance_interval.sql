-- Everyone active on the as-of day has exactly one state of training on it, and nobody else has.
with active as (
    select distinct person_id
    from service
    where is_licensed and valid_from <= (select as_of from publication) and valid_until > (select as_of from publication)
),

with_interval as (
    select distinct person_id
    from compliance_intervals
    where valid_from <= (select as_of from publication) and valid_until > (select as_of from publication)
)

select person_id
from active
anti join with_interval using (person_id)
union all
select person_id
from with_interval
anti join active using (person_id)
