-- One row per province, with its area without the sea.
select iso_3166_2 as province, area_km2
from provinces
order by province
