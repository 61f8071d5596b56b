-- Everyone active on the as-of day has exactly one state of training on it, and nobody else has.
with active as (
    select distinct person_id
    from service, publication
    where is_licensed and valid_from <= as_of and valid_until > as_of
),

with_interval as (
    select distinct person_id
    from compliance_intervals, publication
    where valid_from <= as_of and valid_until > as_of
)

select person_id
from active
full join with_interval using (person_id)
where active.person_id is null or with_interval.person_id is null
