-- One row per interval of service in which two or more other spells of the person run too.
from service_shared
where is_many
order by valid_from, person_id, institute_code
