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
),

-- The latest end among the other granted licences of the institute that begin in time to follow.
followed as (
    select
        ending.application_no,
        bool_or(following.valid_until > ending.valid_until) as is_renewed,
    from named as ending
    inner join named as following using (institute_code)
    where
        ending.outcome = 'granted'
        and following.outcome = 'granted'
        and following.application_no <> ending.application_no
        and following.valid_from <= ending.valid_until + 1
    group by all
)

select
    named.*,
    -- Working days in (file_complete_on, decided_on]: Friday off, Thursday a day, holidays not subtracted.
    decided_on - file_complete_on
    - ((decided_on - date '1900-01-05') // 7 - (file_complete_on - date '1900-01-05') // 7) as working_days,
    coalesce(is_renewed, false) as is_renewed,
from named
left join followed using (application_no)
order by application_no
