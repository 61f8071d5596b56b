-- One row per person, required course and interval of days in which neither the duty nor the pass held changes, half-open.
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

-- A gap of more than 90 days breaks a chain, a single day out of such a post breaks an island: each spell gets the first
-- day of its chain and of its island. Rows of the same days count together: each sort may order them anew.
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
    )
),

islands as (
    select person_id, course_code, due_on, first_day, max(end_day) as end_day
    from dated
    group by person_id, course_code, due_on, first_day
    union all
    -- A person with one spell has one island for each course.
    select person_id, course_code, hired_on + due_days, hired_on, end_day
    from required_spells
    where is_only
),

-- A pass is held until the course is passed again.
passed as (
    select
        person_id,
        completions.course_code,
        completed_on,
        lag(completed_on) over in_order is null as is_first,
        lead(completed_on, 1, date '9999-12-31') over in_order as passed_again_on,
        coalesce(cast(completed_on + to_months(valid_months) as date), date '9999-12-31') as expires_on,
    from completions
    inner join courses on cast(courses.course_code as course) = completions.course_code
    window in_order as (partition by person_id, completions.course_code order by completed_on)
),

-- The days of an island before the first pass, then the days of each pass held.
held as (
    select
        islands.person_id,
        islands.course_code,
        islands.due_on,
        islands.first_day as valid_from,
        least(islands.end_day, first_passed.completed_on) as valid_until,
        cast(null as date) as expires_on,
    from islands
    left join passed as first_passed
        on first_passed.person_id = islands.person_id
        and first_passed.course_code = islands.course_code
        and first_passed.is_first
    where first_passed.completed_on is null or first_passed.completed_on > islands.first_day
    union all
    select
        islands.person_id,
        islands.course_code,
        islands.due_on,
        greatest(islands.first_day, passed.completed_on),
        least(islands.end_day, passed.passed_again_on),
        passed.expires_on,
    from islands
    inner join passed
        on passed.person_id = islands.person_id
        and passed.course_code = islands.course_code
        and passed.completed_on < islands.end_day
        and passed.passed_again_on > islands.first_day
)

select
    person_id,
    course_code,
    valid_from,
    valid_until,
    due_on,
    -- The first day on which the pass is no longer in date; null without a pass.
    expires_on,
    -- The first day on which it is expired or overdue if nobody trains.
    greatest(due_on, coalesce(expires_on, due_on)) as lapses_on,
from held
-- Sorted, so that joins on persons read neighbouring rows.
order by person_id
