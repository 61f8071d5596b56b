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

-- The first day of each number of working days.
reached as (
    select province, elapsed, min(day) as day
    from working_days
    group by all
)

select
    named.*,
    -- Working days in (file_complete_on, decided_on] of the institute's province.
    decided.elapsed - completed.elapsed as working_days,
    completed.elapsed as elapsed_at_completion,
    -- The first day on which more than 25 working days have passed.
    reached.day as overdue_on,
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
left join working_days as completed
    on completed.province = named.province
    and completed.day = named.file_complete_on
left join working_days as decided
    on decided.province = named.province
    and decided.day = named.decided_on
left join reached
    on reached.province = named.province
    and reached.elapsed = completed.elapsed + 26
order by application_no
