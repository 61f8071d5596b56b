-- Every institute and every spell belongs to one of the 31 provinces, and a county to its province.
select institute_code, province
from institutes
anti join provinces on provinces.iso_3166_2 = institutes.province
union all
select institute_code, province
from spells
anti join provinces on provinces.iso_3166_2 = spells.province
union all
select null, county
from (
    select province, county
    from institutes
    union
    select province, county
    from spells
) as used
anti join counties on counties.province_iso = used.province and counties.sci_code = used.county
where county is not null
