-- One row per person in active service and interval of days in which neither the spell nor a pass held changes, half-open.
with active as (
    select * exclude (is_licensed, is_judicial_officer, accredited_until, birth_month, first_hired_on, joined_on, is_veteran)
    from service
    where is_licensed
),

-- A duty ends when a spell ends, and that day is among the starts of the spells already.
starts as (
    select person_id, unnest([valid_from, valid_until]) as day
    from active
    union all
    select person_id, valid_from
    from requirements
),

stretches as (
    select
        person_id,
        day as valid_from,
        lead(day) over (partition by person_id order by day) as valid_until,
    from starts
    qualify valid_until > day
),

required as (
    select
        *,
        coalesce(expires_on, date '0001-01-01') as trained_until,
        case when expires_on is null then due_on end as overdue_on,
    from requirements
),

held as (
    select
        stretches.person_id,
        stretches.valid_from,
        stretches.valid_until,
        -- The first day on which any required course is expired or overdue if nobody trains.
        coalesce(min(requirements.lapses_on), date '9999-12-31') as lapses_on,
        -- The day until which at least one required course is in date; null without a pass.
        max(requirements.expires_on) as last_expires_on,
        -- The first day on which not all required courses are in date; 0001-01-01 if one was never passed.
        coalesce(min(requirements.trained_until), date '9999-12-31') as trained_until,
        -- The first day on which a course never passed is due.
        min(requirements.overdue_on) as overdue_on,
    from stretches
    left join required as requirements
        on requirements.person_id = stretches.person_id
        and requirements.valid_from <= stretches.valid_from
        and requirements.valid_until > stretches.valid_from
    group by all
)

select
    active.* exclude (valid_from, valid_until),
    held.lapses_on,
    held.last_expires_on,
    held.trained_until,
    held.overdue_on,
    held.valid_from,
    held.valid_until,
from held
inner join active
    on active.person_id = held.person_id
    and active.valid_from <= held.valid_from
    and active.valid_until > held.valid_from
-- Persons with several spells are counted from compliance_intervals_shared. A question about a county or an institute reads few row groups.
order by active.is_single_spell desc, active.county, active.institute_code
