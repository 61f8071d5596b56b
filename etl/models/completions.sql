-- One row per course passed, with the spell in service on that day (of several, the one with the first institute_code).
with passed as (
    select
        person_numbers.person_id,
        cast(loaded_training.course_code as course) as course_code,
        loaded_training.completed_on,
        coalesce(loaded_training.hours, courses.hours, 0) as hours,
        min(spells.spell_id) as spell_id,
    from loaded_training
    inner join person_numbers using (person_key)
    inner join courses using (course_code)
    left join spells
        on spells.person_id = person_numbers.person_id
        and spells.hired_on <= loaded_training.completed_on
        and spells.end_day > loaded_training.completed_on
    where loaded_training.result = 'passed'
    group by all
)

select
    passed.person_id,
    passed.course_code,
    passed.completed_on,
    passed.hours,
    spells.institute_code,
    spells.province,
    spells.county,
    spells.activity,
    spells.gender,
    spells.education,
    spells.post,
from passed
left join spells using (spell_id)
order by passed.completed_on, passed.person_id, passed.course_code
