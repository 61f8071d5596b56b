-- One row per province, with what neither a day nor a filter on persons changes: its residents, those of the nation, its area.
select
    province,
    cast(sum(residents) as bigint) as residents,
    cast(sum(sum(residents)) over () as bigint) as nation_residents,
    any_value(area_km2) as area_km2,
from areas
left join residents using (province)
group by province
order by province
