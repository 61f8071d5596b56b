-- One row per transfer between provinces: a person, the province entered, the previous one, and the day.
select
    province_moves.person_id,
    province_moves.day,
    province_moves.province,
    -- Among several, the one whose service ends latest, then the one begun latest; one entered on the same day only for who
    -- joins on it.
    arg_max(
        spells.province,
        (
            spells.hired_on < province_moves.day and spells.end_day + 89 >= province_moves.day,
            least(spells.end_day, province_moves.day),
            spells.hired_on,
            spells.province,
        )
    ) as origin,
from province_moves
inner join spells
    on spells.person_id = province_moves.person_id
    and spells.province <> province_moves.province
    and spells.hired_on <= province_moves.day
where province_moves.move = 'transferred_in'
group by all
order by day, person_id, province_moves.province
