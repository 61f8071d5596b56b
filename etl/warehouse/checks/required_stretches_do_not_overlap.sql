-- On the as-of day and a year before it, a person's required course has one due day and one expiry.
with moments as (
    select unnest([as_of, as_of - 365]) as day
    from publication
)

select moments.day, person_id, course_code
from requirements
inner join moments on valid_from <= moments.day and valid_until > moments.day
group by all
having count(*) > 1
