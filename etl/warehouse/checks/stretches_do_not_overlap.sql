-- A spell is in exactly one state on each of its days.
select person_id, institute_code, valid_from
from service
window spell as (partition by person_id, institute_code, hired_on order by valid_from)
qualify lag(valid_until, 1, hired_on) over spell <> valid_from or valid_until <= valid_from
union all
select spells.person_id, spells.institute_code, spells.hired_on
from spells
left join (
    select person_id, institute_code, hired_on, max(valid_until) as reach
    from service
    group by all
) as served using (person_id, institute_code, hired_on)
where reach is distinct from end_day
