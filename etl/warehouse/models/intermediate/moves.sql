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

-- Rows of the same days count together: each sort may order them anew.
numbered as (
    select
        *,
        count(*) filter (where reach is null or first_day > reach) over (
            partition by person_id, place_kind, place
            order by first_day, end_day
        ) as island,
    from reached
),

islands as (
    select person_id, place_kind, place, min(first_day) as first_day, max(end_day) as end_day
    from numbered
    group by person_id, place_kind, place, island
),

pairs as (
    select
        islands.*,
        other.first_day as other_first_day,
        other.end_day as other_end_day,
        other.place = islands.place as is_here,
        other.first_day < islands.first_day or (other.first_day = islands.first_day and not is_here) as is_before,
        other.end_day > islands.end_day and other.first_day <= islands.end_day + 89 as is_after,
    from islands
    inner join islands as other using (person_id, place_kind)
),

stays as (
    select
        person_id,
        place_kind,
        place,
        first_day,
        end_day,
        max(other_end_day) filter (where is_before and is_here) as end_here,
        max(other_end_day) filter (where is_before and not is_here) as end_elsewhere,
        min(other_first_day) filter (where is_after and is_here) as next_here,
        min(other_first_day) filter (where is_after and not is_here) as next_elsewhere,
    from pairs
    group by all
)

select
    stays.person_id,
    stays.place_kind,
    stays.place,
    stays.first_day as day,
    cast(
        case
            when joiners.person_id is not null then 'joined'
            when end_elsewhere > coalesce(end_here, date '0001-01-01') or end_elsewhere > first_day then 'transferred_in'
            else 'returned'
        end as move
    ) as move,
from stays
left join joiners
    on joiners.person_id = stays.person_id
    and joiners.day = stays.first_day
    and stays.place = case stays.place_kind
        when 'province' then cast(joiners.province as place)
        when 'institute' then cast(joiners.institute_code as place)
        else stays.place
    end
union all
select
    stays.person_id,
    stays.place_kind,
    stays.place,
    stays.end_day,
    cast(
        case
            when leavers.person_id is not null then 'left'
            when next_elsewhere <= coalesce(next_here, date '9999-12-31') then 'transferred_out'
            else 'gone'
        end as move
    ),
from stays
left join leavers
    on leavers.person_id = stays.person_id
    and leavers.day = stays.end_day
    and stays.place = case stays.place_kind
        when 'province' then cast(leavers.province as place)
        when 'institute' then cast(leavers.institute_code as place)
        else stays.place
    end
where stays.end_day < date '9999-12-31'
-- A person with one spell has no transfers.
union all
select person_id, place_kind, place, first_day, cast('joined' as move)
from present
where is_only
union all
select person_id, place_kind, place, end_day, cast('left' as move)
from present
where is_only and end_day < date '9999-12-31'
