-- One row per person, place (the nation, a province, an institute) and day of entering or leaving its stock, with the reason.
with present as (
    select
        person_id,
        unnest(['province', 'institute', 'nation'])::place_kind as place_kind,
        unnest([cast(province as place), cast(institute_code as place), cast('IR' as place)]) as place,
        hired_on as first_day,
        end_day,
        is_only,
    from spells
),

reached as (
    select
        * exclude (is_only),
        max(end_day) over (
            partition by person_id, place_kind, place
            order by first_day, end_day
            rows between unbounded preceding and 1 preceding
        ) as reach,
    from present
    where not is_only
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
)

select
    entering.person_id,
    entering.place_kind,
    entering.place,
    entering.day,
    cast(
        case
            when joiners.person_id is not null then 'joined'
            when end_elsewhere >= coalesce(end_here, date '0001-01-01') or end_elsewhere > entering.day then 'transferred_in'
            else 'returned'
        end as move
    ) as move,
from entering
left join joiners
    on joiners.person_id = entering.person_id
    and joiners.day = entering.day
    and entering.place = case entering.place_kind
        when 'province' then cast(joiners.province as place)
        when 'institute' then cast(joiners.institute_code as place)
        else entering.place
    end
union all
select
    leaving.person_id,
    leaving.place_kind,
    leaving.place,
    leaving.day,
    cast(
        case
            when leavers.person_id is not null then 'left'
            when next_elsewhere <= coalesce(next_here, date '9999-12-31') then 'transferred_out'
            else 'gone'
        end as move
    ),
from leaving
left join leavers
    on leavers.person_id = leaving.person_id
    and leavers.day = leaving.day
    and leaving.place = case leaving.place_kind
        when 'province' then cast(leavers.province as place)
        when 'institute' then cast(leavers.institute_code as place)
        else leaving.place
    end
-- A person with one spell has no transfers.
union all
select person_id, place_kind, place, first_day, cast('joined' as move)
from present
where is_only
union all
select person_id, place_kind, place, end_day, cast('left' as move)
from present
where is_only and end_day < date '9999-12-31'
