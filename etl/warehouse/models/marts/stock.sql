-- One row per day and cell: the running total of each stock at the end of each Jalali month (is_total), and the net change on
-- each day on which one moves. A state is one total and the changes since.
-- Whoever has two spells stands in the cells of both; is_pair marks the rows, negative, that take one off where a question asks
-- for both cells at once. Who has more spells at once is left out.
with changes as (
    select
        valid_from as day,
        province,
        activity,
        gender,
        education,
        post,
        1 as in_service,
        cast(is_licensed as integer) as active_assistants,
        cast(is_licensed and is_judicial_officer as integer) as judicial_officers,
        cast(is_licensed and is_veteran as integer) as veterans,
        cast(is_licensed as integer) as compliant_assistants,
    from service
    where not is_many
    union all
    select
        valid_until,
        province,
        activity,
        gender,
        education,
        post,
        -1,
        -cast(is_licensed as integer),
        -cast(is_licensed and is_judicial_officer as integer),
        -cast(is_licensed and is_veteran as integer),
        -cast(is_licensed as integer),
    from service
    where not is_many
    -- Every active assistant counts as compliant, but for the days on which a course of theirs has lapsed.
    union all
    select greatest(valid_from, lapses_on), province, activity, gender, education, post, 0, 0, 0, 0, -1
    from readiness
    where not is_many and lapses_on < valid_until
    union all
    select valid_until, province, activity, gender, education, post, 0, 0, 0, 0, 1
    from readiness
    where not is_many and lapses_on < valid_until
),

crossed as (
    select valid_from as day, -1 as sign, * exclude (valid_from, valid_until)
    from spell_pairs
    union all
    select valid_until, 1, * exclude (valid_from, valid_until)
    from spell_pairs
),

net as (
    select
        day,
        province,
        activity,
        gender,
        education,
        post,
        cast(sum(in_service) as integer) as in_service,
        cast(sum(active_assistants) as integer) as active_assistants,
        cast(sum(judicial_officers) as integer) as judicial_officers,
        cast(sum(veterans) as integer) as veterans,
        cast(sum(compliant_assistants) as integer) as compliant_assistants,
    from changes
    where day < date '9999-12-31'
    group by all
    having
        sum(in_service) <> 0
        or sum(active_assistants) <> 0
        or sum(judicial_officers) <> 0
        or sum(veterans) <> 0
        or sum(compliant_assistants) <> 0
),

months as (
    select calendar.month, max(calendar.day) as day
    from calendar
    group by all
    having
        max(calendar.day) >= (select min(day) from net)
        and max(calendar.day) <= (select as_of + 31 from publication)
),

numbers as (
    select
        month,
        day,
        row_number() over (order by day) as number,
        count(*) over () + 1 as end_number,
    from months
),

monthly as (
    select
        calendar.month,
        province,
        activity,
        gender,
        education,
        post,
        cast(sum(in_service) as integer) as in_service,
        cast(sum(active_assistants) as integer) as active_assistants,
        cast(sum(judicial_officers) as integer) as judicial_officers,
        cast(sum(veterans) as integer) as veterans,
        cast(sum(compliant_assistants) as integer) as compliant_assistants,
    from net
    inner join calendar using (day)
    group by all
),

told as (
    select
        numbers.number,
        monthly.province,
        monthly.activity,
        monthly.gender,
        monthly.education,
        monthly.post,
        sum(in_service) over so_far as in_service,
        sum(active_assistants) over so_far as active_assistants,
        sum(judicial_officers) over so_far as judicial_officers,
        sum(veterans) over so_far as veterans,
        sum(compliant_assistants) over so_far as compliant_assistants,
        lead(numbers.number, 1, numbers.end_number) over so_far as next_number,
    from monthly
    inner join numbers using (month)
    window so_far as (
        partition by monthly.province, monthly.activity, monthly.gender, monthly.education, monthly.post
        order by numbers.number
    )
),

-- A total stays until the month in which its cell moves next.
spread as (
    select * exclude (number, next_number), unnest(range(number, next_number)) as number
    from told
    where in_service <> 0
),

running as (
    select numbers.day, spread.* exclude (number)
    from spread
    inner join numbers using (number)
),

pairs_at_month_ends as (
    select
        months.day,
        spell_pairs.* exclude (valid_from, valid_until, in_service, active_assistants, judicial_officers, veterans, compliant_assistants),
        -sum(in_service) as in_service,
        -sum(active_assistants) as active_assistants,
        -sum(judicial_officers) as judicial_officers,
        -sum(veterans) as veterans,
        -sum(compliant_assistants) as compliant_assistants,
    from spell_pairs
    inner join months on months.day >= spell_pairs.valid_from and months.day < spell_pairs.valid_until
    group by all
),

pair_changes as (
    select
        * exclude (sign, in_service, active_assistants, judicial_officers, veterans, compliant_assistants),
        sum(sign * in_service) as in_service,
        sum(sign * active_assistants) as active_assistants,
        sum(sign * judicial_officers) as judicial_officers,
        sum(sign * veterans) as veterans,
        sum(sign * compliant_assistants) as compliant_assistants,
    from crossed
    where day < date '9999-12-31'
    group by all
    having
        sum(sign * in_service) <> 0
        or sum(sign * active_assistants) <> 0
        or sum(sign * judicial_officers) <> 0
        or sum(sign * veterans) <> 0
        or sum(sign * compliant_assistants) <> 0
),

rows_of_all as (
    select true as is_total, false as is_pair, *
    from running
    where in_service <> 0
    union all by name
    select false as is_total, false as is_pair, *
    from net
    union all by name
    select true as is_total, true as is_pair, *
    from pairs_at_month_ends
    union all by name
    select false as is_total, true as is_pair, *
    from pair_changes
)

select
    day,
    is_total,
    is_pair,
    province,
    activity,
    gender,
    education,
    post,
    other_province,
    other_activity,
    other_gender,
    other_education,
    other_post,
    cast(in_service as integer) as in_service,
    cast(active_assistants as integer) as active_assistants,
    cast(judicial_officers as integer) as judicial_officers,
    cast(veterans as integer) as veterans,
    cast(compliant_assistants as integer) as compliant_assistants,
from rows_of_all
-- Pairs lie at the end, a day's totals and a day's changes together, each near those of the days around.
order by
    is_pair,
    is_total desc,
    day,
    province,
    activity,
    gender,
    education,
    post,
    other_province,
    other_activity,
    other_gender,
    other_education,
    other_post
