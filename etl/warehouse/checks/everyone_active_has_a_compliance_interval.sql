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
full join with_interval using (person_id)
where active.person_id is null or with_interval.person_id is null
