-- One row per joiner: a person and the day of joining, with the spell that began.
with reached as (
    select
        *,
        max(end_day) over (
            partition by person_id
            order by hired_on
            range between unbounded preceding and interval 1 day preceding
        ) as reach,
    from spells
    where not is_only
),

firsts as (
    select * exclude (reach)
    from reached
    -- hired_on <= left_on + 90 is no break; reach is the first day out, left_on + 1.
    where reach is null or hired_on > reach + 89
    qualify row_number() over (partition by person_id, hired_on order by spell_id) = 1
    union all
    select *
    from spells
    where is_only
)

select
    firsts.person_id,
    firsts.hired_on as day,
    firsts.institute_code,
    {{ spell(firsts) }},
    leavers.day as next_leaving,
from firsts
asof left join leavers
    on leavers.person_id = firsts.person_id
    and leavers.day > firsts.hired_on
order by day, firsts.person_id
