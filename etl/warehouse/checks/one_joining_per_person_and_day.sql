-- A person joins at most once on a day.
select person_id, day
from joiners
group by all
having count(*) > 1
