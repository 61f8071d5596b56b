-- One row per interval of readiness in which another spell of the person runs too.
select *
from readiness
where not is_single_spell
order by lapses_on, person_id, valid_from, institute_code
