-- One row per person and day on which they enter or leave the stock of the nation, with the reason.
select person_id, day, move
from moves
where place_kind = 'nation'
order by day, person_id, move
