-- A key names one row.
select 'institutes' as source_table, institute_code as key
from institutes
group by all
having count(*) > 1
union all
select 'applications', application_no
from applications
group by all
having count(*) > 1
