-- One row per day and cell: the running totals at the end of each Jalali month (is_total), and the net changes of each day.
-- A snapshot is the last total and the changes since.
-- Overlapping spells are counted in both cells; `is_pair` rows, negative, subtract the double count where a question covers
-- both cells. Persons with three or more spells at once are left out.
with intervals as (
    select false as is_pair, {{ cell }}, valid_from, valid_until,
        {{ rollup_counts }},
        is_licensed::integer as compliant_assistants
    from service
    where not is_many
    union all by name
    select false as is_pair, {{ cell }}, greatest(valid_from, lapses_on) as valid_from, valid_until,
        -1 as compliant_assistants
    from compliance_intervals
    where not is_many and lapses_on < valid_until
    union all by name
    select true as is_pair, *
    from overlap_corrections
),

moves as (
    select * exclude (valid_from, valid_until),
        unnest([valid_from, valid_until]) as day,
        unnest(if(is_pair, [-1, 1], [1, -1])) as sign
    from intervals
),

net as (
    select * exclude (sign, {{ rollup }}),
        coalesce(sum(sign * columns('^({{ rollup_pattern }})$')), 0)::integer as '\1'
    from moves
    where day < date '9999-12-31'
    group by all
),

months as (
    select month, max(day) as day, row_number() over (order by max(day)) as number
    from calendar
    group by month
    having max(day) >= (select min(day) from net) and max(day) <= (select as_of + 31 from publication)
),

monthly as (
    select months.number, net.* exclude (day, {{ rollup }}),
        sum(columns('^({{ rollup_pattern }})$')) as '\1'
    from net inner join calendar using (day) inner join months using (month)
    group by all
),

running as (
    select * exclude ({{ rollup }}),
        sum(columns('^({{ rollup_pattern }})$')) over cell as '\1',
        lead(number, 1, (select max(number) + 1 from months)) over cell as next_number
    from monthly
    window cell as (
        partition by is_pair, {{ cell }},
            {{ cell(, other_) }}
        order by number
    )
),

-- A total holds until the month of the next change in its cell.
totals as (
    select * exclude (number, next_number), unnest(range(number, next_number)) as number
    from running
),

rows_of_all as (
    select months.day, true as is_total, totals.* exclude (number)
    from totals inner join months using (number)
    where {{ rollup_any }}
    union all by name
    select false as is_total, *
    from net
    where {{ rollup_any }}
)

select * exclude ({{ rollup }}), columns('^({{ rollup_pattern }})$')::integer as '\1'
from rows_of_all
-- Questions read a range of days of totals, or of changes, and rarely pairs.
order by is_pair, is_total desc, day, {{ cell }}
