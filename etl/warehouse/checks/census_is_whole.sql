-- The counties of the census of 1395 hold all its residents, in 31 provinces.
select count(distinct province_iso) as provinces, sum(population_2016) as residents
from counties
having count(distinct province_iso) <> 31 or sum(population_2016) <> 79926270
