-- Nothing lapses before it is due.
select person_id, course_code, valid_from
from requirements
where lapses_on < due_on or valid_until <= valid_from
