-- Lapses queue per pool and course; the queue position gives the training month.
with own as (
    select unnest($own_provinces::varchar[]) as province, unnest($own_courses::varchar[]) as course
),
required as (
    select distinct coalesce(own.province, '') as pool, course, person_id, lapses_on
    from ({lacking}) as lacking
    left join own using (province, course)
),
supply as (
    select
        unnest($pools::varchar[]) as pool,
        unnest($courses::varchar[]) as course,
        unnest($seats::double[]) as seats
),
ends as (
    select unnest($months::integer[]) as month, unnest($ends::date[]) as day
),
variants as (
    select
        unnest($variants::varchar[]) as variant,
        unnest($rates::double[]) as pass_rate,
        unnest($waiting::boolean[]) as is_waiting
),
recruited as (
    -- courses that the joiners of the last 12 months passed in these months
    select coalesce(own.province, '') as pool, completions.course_code as course, count(*) as passed
    from completions
    left join own on own.province = completions.province and own.course = completions.course_code
    semi join joiners
        on joiners.person_id = completions.person_id
        and joiners.day between $first_day::date and $last_day::date
        and joiners.day <= completions.completed_on
    where completions.completed_on between $first_day::date and $last_day::date and {passed_here}
    group by all
),
passes as (
    select
        pool,
        course,
        variant,
        is_waiting,
        seats * pass_rate - $recruits::double * coalesce(passed / nullif($joiners::double, 0), 0) as passes,
    from supply
    cross join variants
    left join recruited using (pool, course)
),
lapses as (
    -- a short course lapses again within the year
    select
        pool,
        course,
        person_id,
        cast(lapses_on + to_months(again * coalesce(valid_months, 0)) as date) as lapses_on,
    from required
    inner join courses on courses.course_code = required.course
    cross join range(0, 13) as repeats (again)
    where
        required.lapses_on <= $horizon::date
        and (again = 0 or again * valid_months < 13)
        and required.lapses_on + to_months(again * coalesce(valid_months, 0)) <= $horizon::date
),
-- seats go first to compliant persons about to lapse, then to those who lack the fewest courses
counted as (
    select *, count(*) filter (where lapses_on <= $on_day::date) over (partition by person_id) as lacking
    from lapses
),
orders (is_waiting) as (values (false), (true)),
queued as (
    select
        counted.*,
        orders.is_waiting,
        not is_waiting and lacking = 0 as is_first,
        row_number() over (
            partition by pool, course, is_waiting, lacking = 0 and not is_waiting
            order by case when is_waiting then 0 else lacking end, lapses_on, person_id
        ) as place,
    from counted
    cross join orders
),
coming as (
    select pool, course, ends.month, count(*) as people
    from queued
    inner join ends on queued.lapses_on <= ends.day
    where is_first
    group by all
),
opened as (
    select
        pool,
        course,
        variant,
        ends.month,
        -- persons who leave before their turn are skipped: the same passes reach further into the queue
        greatest(passes, 0) * sum(case when ends.month > 0 then pow(1 - $leaving::double, -ends.month) else 0 end)
            over (partition by pool, course, variant order by ends.month) as passed,
        case when is_waiting then 0 else coalesce(people, 0) end as needed,
    from passes
    cross join ends
    left join coming using (pool, course, month)
),
shared as (
    select
        *,
        passed + least(
            min(needed - passed) over (partition by pool, course, variant order by month), 0
        ) as passed_first,
    from opened
),
reached as (
    select pool, course, variant, true as is_first, month, passed_first as reached from shared
    union all
    select pool, course, variant, false, month, passed - passed_first from shared
),
lines as (
    -- whole positions: fractions differ in their last digit from month to month
    select pool, course, variant, is_first, cast(floor(reached + 1e-6) as bigint) as reached, min(month) as month
    from reached
    group by all
),
served as (
    select
        variants.variant,
        queued.person_id,
        queued.course,
        queued.lapses_on,
        -- a person who serves in two provinces is trained in one of them
        min(coalesce(lines.month, 1000)) as month,
    from queued
    inner join variants using (is_waiting)
    asof left join lines
        on lines.pool = queued.pool
        and lines.course = queued.course
        and lines.variant = variants.variant
        and lines.is_first = queued.is_first
        and lines.reached >= queued.place
    group by all
)
select variant, ends.month, count(distinct person_id) as people
from served
inner join ends on served.lapses_on <= ends.day and served.month > ends.month
group by all
