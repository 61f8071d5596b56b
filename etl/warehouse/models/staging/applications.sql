-- One row per application for a licence.
with named as (
    select
        loaded_licences.application_no_shown as application_no,
        institutes.institute_code,
        institutes.province,
        institutes.county,
        institutes.activity,
        institutes.smart,
        loaded_licences.* exclude (file_number, line, application_no, application_no_shown, institute_code),
    from loaded_licences
    inner join loaded_institutes using (institute_code)
    inner join institutes on institutes.institute_code = loaded_institutes.institute_code_shown
)

select
    named.*,
    -- Working days in (file_complete_on, decided_on]: Friday off, Thursday a day, holidays not subtracted.
    decided_on - file_complete_on
    - ((decided_on - date '1900-01-05') // 7 - (file_complete_on - date '1900-01-05') // 7) as working_days,
    -- Another granted licence of the institute begins in time to follow, and ends later.
    outcome is not distinct from 'granted' and exists (
        from named as following
        where
            following.institute_code = named.institute_code
            and following.outcome = 'granted'
            and following.valid_from <= named.valid_until + 1
            and following.valid_until > named.valid_until
    ) as is_renewed,
from named
order by application_no
