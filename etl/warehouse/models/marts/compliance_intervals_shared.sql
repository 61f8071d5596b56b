-- One row per compliance interval in which another spell of the person runs too.
from compliance_intervals
where not is_single_spell
order by county, institute_code, person_id, valid_from
