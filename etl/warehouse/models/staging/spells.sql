-- One row per spell of service; of a person's spells the lowest spell_id is the one with the first institute_code.
select
    cast(row_number() over (order by person_id, institutes.institute_code, hired_on) as integer) as spell_id,
    person_id,
    institutes.institute_code,
    {{ spell_columns }},
    -- The name that was submitted, of a county created or renamed since the census.
    loaded_personnel.county_shown as county_written,
    -- Year and month are enough for an age, so the day of birth is not stored.
    date_trunc('month', loaded_personnel.birth_date)::date as birth_month,
    loaded_personnel.hired_on,
    loaded_personnel.left_on,
    -- The first day out.
    coalesce(loaded_personnel.left_on + 1, date '9999-12-31') as end_day,
    loaded_personnel.leave_reason,
    loaded_personnel.judicial_officer_from,
    loaded_personnel.judicial_officer_until,
    coalesce(loaded_personnel.veteran, false) as is_veteran,
    person_numbers.first_hired_on,
    person_numbers.spells = 1 as is_only,
from loaded_personnel
inner join person_numbers using (person_key)
inner join loaded_institutes using (institute_code)
inner join institutes on institutes.institute_code = loaded_institutes.institute_code_shown
order by spell_id
