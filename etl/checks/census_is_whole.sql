-- The counties of the census of 1395 hold all its residents, in 31 provinces.
select count(distinct province) as provinces, sum(residents) as residents
from residents
having count(distinct province) <> 31 or sum(residents) <> 79926270
