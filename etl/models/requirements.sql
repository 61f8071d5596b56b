-- One row per person, required course and stretch of days in which neither the duty nor what is held changes, half-open.
with duties as (
    select cast(course_code as course) as course_code, cast(post as post) as post, due_days
    from course_posts
),

required_spells as (
    select spells.person_id, duties.course_code, duties.due_days, spells.hired_on, spells.end_day, spells.is_only
    from spells
    inner join duties using (post)
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
    where not is_only
),

-- A chain is broken by a gap of more than 90 days, an island by a single day out of such a post: each spell is told the
-- first day of its own.
dated as (
    select
        person_id,
        course_code,
        end_day,
        max(hired_on) filter (where reach is null or hired_on > reach + 89) over so_far + due_days as due_on,
        max(hired_on) filter (where reach is null or hired_on > reach) over so_far as first_day,
    from reached
    window so_far as (
        partition by person_id, course_code
        order by hired_on, end_day
        rows between unbounded preceding and current row
    )
),

islands as (
    select person_id, course_code, due_on, first_day, max(end_day) as end_day
    from dated
    group by person_id, course_code, due_on, first_day
    union all
    -- Who has one spell has one island for each course.
    select person_id, course_code, hired_on + due_days, hired_on, end_day
    from required_spells
    where is_only
),

validity as (
    select cast(course_code as course) as course_code, valid_months
    from courses
),

passed as (
    select
        islands.person_id,
        islands.course_code,
        islands.due_on,
        islands.first_day,
        islands.end_day,
        completions.completed_on,
        coalesce(cast(completed_on + to_months(valid_months) as date), date '9999-12-31') as expires_on,
    from islands
    inner join completions using (person_id, course_code)
    inner join validity using (course_code)
    where completions.completed_on < islands.end_day
),

held_before as (
    select person_id, course_code, first_day, arg_max(expires_on, completed_on) as expires_on
    from passed
    where completed_on <= first_day
    group by person_id, course_code, first_day
),

-- What is held on the first day of an island, then each course passed within it.
held as (
    select
        islands.person_id,
        islands.course_code,
        islands.due_on,
        islands.end_day,
        islands.first_day as valid_from,
        held_before.expires_on,
    from islands
    left join held_before using (person_id, course_code, first_day)
    union all
    select person_id, course_code, due_on, end_day, completed_on, expires_on
    from passed
    where completed_on > first_day
)

select
    person_id,
    course_code,
    valid_from,
    coalesce(lead(valid_from) over later, end_day) as valid_until,
    due_on,
    -- The first day on which it is no longer in date; null where it was never held.
    expires_on,
    -- The first day on which it is expired or overdue if nobody trains.
    greatest(due_on, coalesce(expires_on, due_on)) as lapses_on,
from held
window later as (partition by person_id, course_code, end_day order by valid_from)
-- Who joins a person's rows finds them together.
order by person_id
