-- One row per compliance interval in which two or more other spells of the person run too.
from compliance_intervals_shared
where is_many
order by lapses_on, person_id, valid_from, institute_code
