-- One row per person, place (the nation, a province, an institute) and day of entering or leaving its stock, with the reason.
with present as (
    select person_id, cast('province' as place_kind) as place_kind, cast(province as place) as place, hired_on as first_day, end_day, is_only
    from spells
    union all
    select person_id, cast('institute' as place_kind), cast(institute_code as place), hired_on, end_day, is_only
    from spells
    union all
    select person_id, cast('nation' as place_kind), cast('IR' as place), hired_on, end_day, is_only
    from spells
),

presence as (
    select * exclude (is_only)
    from present
    where not is_only
),

reached as (
    select
        *,
        max(end_day) over (
            partition by person_id, place_kind, place
            order by first_day, end_day
            rows between unbounded preceding and 1 preceding
        ) as reach,
    from presence
),

numbered as (
    select
        *,
        count(*) filter (where reach is null or first_day > reach) over (
            partition by person_id, place_kind, place
            order by first_day, end_day
            rows between unbounded preceding and current row
        ) as island,
    from reached
),

islands as (
    select person_id, place_kind, place, min(first_day) as first_day, max(end_day) as end_day
    from numbered
    group by person_id, place_kind, place, island
),

entering as (
    select
        islands.person_id,
        islands.place_kind,
        islands.place,
        islands.first_day as day,
        max(other.end_day) filter (where other.place = islands.place) as end_here,
        max(other.end_day) filter (where other.place <> islands.place) as end_elsewhere,
    from islands
    left join islands as other
        on other.person_id = islands.person_id
        and other.place_kind = islands.place_kind
        and (
            other.first_day < islands.first_day
            or (other.first_day = islands.first_day and other.place <> islands.place)
        )
    group by all
),

leaving as (
    select
        islands.person_id,
        islands.place_kind,
        islands.place,
        islands.end_day as day,
        min(other.first_day) filter (where other.place = islands.place) as next_here,
        min(other.first_day) filter (where other.place <> islands.place) as next_elsewhere,
    from islands
    left join islands as other
        on other.person_id = islands.person_id
        and other.place_kind = islands.place_kind
        and other.end_day > islands.end_day
        and other.first_day <= islands.end_day + 89
    where islands.end_day < date '9999-12-31'
    group by all
),

joined as (
    select person_id, day, cast('province' as place_kind) as place_kind, cast(province as place) as place
    from joiners
    union all
    select person_id, day, cast('institute' as place_kind), cast(institute_code as place)
    from joiners
    union all
    select person_id, day, cast('nation' as place_kind), cast('IR' as place)
    from joiners
),

left_service as (
    select person_id, day, cast('province' as place_kind) as place_kind, cast(province as place) as place
    from leavers
    union all
    select person_id, day, cast('institute' as place_kind), cast(institute_code as place)
    from leavers
    union all
    select person_id, day, cast('nation' as place_kind), cast('IR' as place)
    from leavers
)

select
    entering.person_id,
    entering.place_kind,
    entering.place,
    entering.day,
    cast(
        case
            when joined.person_id is not null then 'joined'
            when end_elsewhere >= coalesce(end_here, date '0001-01-01') or end_elsewhere > entering.day then 'transferred_in'
            else 'returned'
        end as move
    ) as move,
from entering
left join joined using (person_id, place_kind, place, day)
union all
select
    leaving.person_id,
    leaving.place_kind,
    leaving.place,
    leaving.day,
    cast(
        case
            when left_service.person_id is not null then 'left'
            when next_elsewhere <= coalesce(next_here, date '9999-12-31') then 'transferred_out'
            else 'gone'
        end as move
    ),
from leaving
left join left_service using (person_id, place_kind, place, day)
-- A person with one spell has no transfers.
union all
select person_id, place_kind, place, first_day, cast('joined' as move)
from present
where is_only
union all
select person_id, place_kind, place, end_day, cast('left' as move)
from present
where is_only and end_day < date '9999-12-31'
