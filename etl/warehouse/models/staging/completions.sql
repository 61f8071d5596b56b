-- One row per course passed, with the spell in service on that day (of several, the one with the first institute_code).
with passed as (
    select
        person_numbers.person_id,
        cast(loaded_training.course_code as course) as course_code,
        loaded_training.completed_on,
        coalesce(loaded_training.hours, courses.hours, 0) as hours,
    from loaded_training
    inner join person_numbers using (person_key)
    inner join courses using (course_code)
    where loaded_training.result = 'passed'
)

select
    passed.person_id,
    passed.course_code,
    passed.completed_on,
    passed.hours,
    spells.institute_code,
    {{ spell(spells) }},
from passed
left join spells
    on spells.person_id = passed.person_id
    and spells.hired_on <= passed.completed_on
    and spells.end_day > passed.completed_on
-- Spells are numbered by institute_code: no spell with a lower number runs on that day.
anti join spells as earlier
    on earlier.person_id = spells.person_id
    and earlier.spell_id < spells.spell_id
    and earlier.hired_on <= passed.completed_on
    and earlier.end_day > passed.completed_on
    and not earlier.is_only
order by passed.completed_on
