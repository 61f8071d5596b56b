-- One row per county of the census of 1395, with its residents.
select province_iso as province, sci_code as county, population_2016 as residents
from counties
order by county
