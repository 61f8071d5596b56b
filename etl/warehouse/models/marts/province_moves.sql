-- One row per person, province and day on which they enter or leave its stock, with the reason.
select person_id, cast(place as province) as province, day, move
from moves
where place_kind = 'province'
order by day, person_id, province, move
