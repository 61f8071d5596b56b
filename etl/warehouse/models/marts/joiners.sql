-- One row per joiner: a person and the day of joining, with the spell that began.
with firsts as (
    from spells
    where not is_only
    window earlier as (
        partition by person_id
        order by hired_on
        range between unbounded preceding and interval 1 day preceding
    )
    qualify
        -- hired_on <= left_on + 90 is no break; end_day is the first day out, left_on + 1.
        coalesce(hired_on > max(end_day) over earlier + 89, true)
        and row_number() over (partition by person_id, hired_on order by spell_id) = 1
    union all
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
