-- A key names one row.
select 'institutes' as source_table, lower(institute_code) as key
from institutes
group by all
having count(*) > 1
union all
select 'applications', lower(application_no)
from applications
group by all
having count(*) > 1
union all
select 'spells', concat_ws(' ', person_id, institute_code, hired_on)
from spells
group by all
having count(*) > 1
