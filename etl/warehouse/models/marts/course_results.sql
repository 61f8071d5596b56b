-- One row per day, course and province (that of the spell in service on the day) with the results submitted and those passed.
with not_passed as (
    select
        person_numbers.person_id,
        loaded_training.course_code,
        loaded_training.completed_on,
        arg_min(spells.province, spells.spell_id) as province,
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
    select completed_on, cast(course_code as course), province, false
    from not_passed
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
