-- One row per interval of service in which another spell of the person runs too.
from service
where not is_single_spell
order by valid_from, person_id, institute_code
