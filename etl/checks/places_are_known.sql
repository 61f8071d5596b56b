-- Every institute and every spell belongs to one of the 31 provinces.
select institute_code, province
from institutes
anti join provinces on provinces.iso_3166_2 = institutes.province
union all
select institute_code, province
from spells
anti join provinces on provinces.iso_3166_2 = spells.province
