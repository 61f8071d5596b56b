-- One row per joiner: a person and the day of joining, with the spell that brought them.
with firsts as (
    select *
    from spells
    qualify row_number() over (partition by person_id, hired_on order by spell_id) = 1
),

reached as (
    select
        spell_id,
        max(end_day) over (
            partition by person_id
            order by hired_on
            range between unbounded preceding and interval 1 day preceding
        ) as reach,
    from spells
)

select
    firsts.person_id,
    firsts.hired_on as day,
    firsts.institute_code,
    firsts.province,
    firsts.county,
    firsts.activity,
    firsts.gender,
    firsts.education,
    firsts.post,
    min(leavers.day) as next_leaving,
from firsts
inner join reached using (spell_id)
left join leavers on leavers.person_id = firsts.person_id and leavers.day > firsts.hired_on
-- hired_on <= left_on + 90 is no break; reach is the first day out, left_on + 1.
where reach is null or firsts.hired_on > reach + 89
group by all
order by day, person_id
