-- One row per leaver: a person and the first day out, with the spell that ended.
with lasts as (
    from spells
    where left_on is not null
    qualify row_number() over (partition by person_id, end_day order by spell_id) = 1
)

select
    lasts.person_id,
    lasts.end_day as day,
    lasts.institute_code,
    {{ spell(lasts) }},
from lasts
anti join spells as later
    on later.person_id = lasts.person_id
    and later.end_day > lasts.end_day
    and later.hired_on <= lasts.left_on + 90
order by day, person_id
