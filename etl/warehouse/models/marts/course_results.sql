-- One row per day, course and province (that of the spell in service on the day) with the results submitted and those passed.
with not_passed as (
    select
        person_numbers.person_id,
        loaded_training.course_code,
        loaded_training.completed_on,
        min(spells.spell_id) as spell_id,
    from loaded_training
    inner join person_numbers using (person_key)
    left join spells
        on spells.person_id = person_numbers.person_id
        and spells.hired_on <= loaded_training.completed_on
        and spells.end_day > loaded_training.completed_on
    where loaded_training.result is distinct from 'passed'
    group by all
),

results as (
    select completed_on, course_code, province, true as is_passed
    from completions
    union all
    select not_passed.completed_on, cast(not_passed.course_code as course), spells.province, false
    from not_passed
    left join spells using (spell_id)
)

select
    completed_on,
    course_code,
    province,
    count(*) as results,
    count(*) filter (where is_passed) as passed,
from results
group by all
order by completed_on, course_code, province
