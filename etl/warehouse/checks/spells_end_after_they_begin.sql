-- Nobody leaves, and no accreditation ends, before it begins.
select person_id, institute_code, hired_on
from spells
where left_on < hired_on or end_day <= hired_on or judicial_officer_until < judicial_officer_from
