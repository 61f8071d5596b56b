-- One row per day, course and province (that of the spell in service on the day) with the results handed in and those passed.
with results as (
    select
        person_numbers.person_id,
        loaded_training.course_code,
        loaded_training.completed_on,
        loaded_training.result,
        min(spells.spell_id) as spell_id,
    from loaded_training
    inner join person_numbers using (person_key)
    left join spells
        on spells.person_id = person_numbers.person_id
        and spells.hired_on <= loaded_training.completed_on
        and spells.end_day > loaded_training.completed_on
    group by all
)

select
    results.completed_on,
    results.course_code,
    spells.province,
    count(*) as results,
    count(*) filter (where results.result = 'passed') as passed,
from results
left join spells using (spell_id)
group by all
order by results.completed_on, results.course_code, spells.province
