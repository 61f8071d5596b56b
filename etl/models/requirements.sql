-- One row per person, required course and stretch of days in which neither the duty nor what is held changes, half-open.
with required_spells as (
    select spells.person_id, course_posts.course_code, course_posts.due_days, spells.hired_on, spells.end_day
    from spells
    inner join course_posts using (post)
),

reached as (
    select
        *,
        max(end_day) over (
            partition by person_id, course_code
            order by hired_on, end_day
            rows between unbounded preceding and 1 preceding
        ) as reach,
    from required_spells
),

-- A chain is broken by a gap of more than 90 days, an island by a single day out of such a post.
numbered as (
    select
        *,
        count(*) filter (where reach is null or hired_on > reach + 89) over before as chain,
        count(*) filter (where reach is null or hired_on > reach) over before as island,
    from reached
    window before as (
        partition by person_id, course_code
        order by hired_on, end_day
        rows between unbounded preceding and current row
    )
),

dated as (
    select *, min(hired_on) over (partition by person_id, course_code, chain) + due_days as due_on
    from numbered
),

islands as (
    select person_id, course_code, due_on, min(hired_on) as first_day, max(end_day) as end_day
    from dated
    group by person_id, course_code, due_on, island
),

passed as (
    select
        person_id,
        course_code,
        completed_on,
        coalesce(cast(completed_on + to_months(valid_months) as date), date '9999-12-31') as expires_on,
    from completions
    inner join courses using (course_code)
),

starts as (
    select person_id, course_code, due_on, end_day, first_day as valid_from
    from islands
    union
    select islands.person_id, islands.course_code, due_on, end_day, passed.completed_on
    from islands
    inner join passed using (person_id, course_code)
    where passed.completed_on > islands.first_day and passed.completed_on < islands.end_day
),

stretches as (
    select
        *,
        coalesce(
            lead(valid_from) over (partition by person_id, course_code, end_day order by valid_from), end_day
        ) as valid_until,
    from starts
)

select
    stretches.person_id,
    stretches.course_code,
    stretches.valid_from,
    stretches.valid_until,
    stretches.due_on,
    -- The first day on which it is no longer in date; null where it was never held.
    passed.expires_on,
    -- The first day on which it is expired or overdue if nobody trains.
    greatest(stretches.due_on, coalesce(passed.expires_on, stretches.due_on)) as lapses_on,
from stretches
asof left join passed
    on passed.person_id = stretches.person_id
    and passed.course_code = stretches.course_code
    and passed.completed_on <= stretches.valid_from
order by stretches.person_id, stretches.course_code, stretches.valid_from
