-- One row per person, institute and day on which they enter or leave its stock, with the reason.
select person_id, cast(place as institute) as institute_code, day, move
from moves
where place_kind = 'institute'
order by day, person_id, institute_code, move
