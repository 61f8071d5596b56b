-- Nothing happened after the day of the build.
select 'spells' as source_table, institute_code as place
from spells, publication
where greatest(hired_on, judicial_officer_from) > built_on
union all
select 'applications', application_no
from applications, publication
where greatest(applied_on, file_complete_on, decided_on) > built_on
union all
select 'completions', course_code
from completions, publication
where completed_on > built_on
union all
select 'publication', null
from publication
where as_of > built_on
