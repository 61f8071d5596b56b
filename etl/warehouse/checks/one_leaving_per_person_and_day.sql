-- A person leaves at most once on a day.
select person_id, day
from leavers
group by all
having count(*) > 1
