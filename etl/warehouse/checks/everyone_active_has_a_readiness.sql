-- Everyone active on the as-of day has exactly one state of training on it, and nobody else has.
with active as (
    select distinct person_id
    from service
    where is_licensed and valid_from <= (select as_of from publication) and valid_until > (select as_of from publication)
),

ready as (
    select distinct person_id
    from readiness
    where valid_from <= (select as_of from publication) and valid_until > (select as_of from publication)
)

select person_id
from active
anti join ready using (person_id)
union all
select person_id
from ready
anti join active using (person_id)
