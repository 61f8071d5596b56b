-- One row per last day of a Jalali month and cell: the persons of each stock on that day, and as in stock_changes the pairs
-- that go off again.
with months as (
    select calendar.month, max(calendar.day) as day
    from calendar
    group by all
    having
        max(calendar.day) >= (select min(day) from stock_changes)
        and max(calendar.day) <= (select as_of + 31 from publication)
),

changes as (
    select calendar.month, stock_changes.* exclude (day)
    from stock_changes
    inner join calendar using (day)
    where not is_pair
),

monthly as (
    select
        month,
        province,
        activity,
        gender,
        education,
        post,
        sum(in_service) as in_service,
        sum(active_assistants) as active_assistants,
        sum(judicial_officers) as judicial_officers,
        sum(veterans) as veterans,
        sum(compliant_assistants) as compliant_assistants,
    from changes
    group by all
),

cells as (
    select province, activity, gender, education, post, min(month) as first_month
    from monthly
    group by all
),

every as (
    select months.month, months.day, cells.* exclude (first_month)
    from cells
    inner join months on months.month >= cells.first_month
),

running as (
    select
        every.day,
        every.province,
        every.activity,
        every.gender,
        every.education,
        every.post,
        sum(in_service) over so_far as in_service,
        sum(active_assistants) over so_far as active_assistants,
        sum(judicial_officers) over so_far as judicial_officers,
        sum(veterans) over so_far as veterans,
        sum(compliant_assistants) over so_far as compliant_assistants,
    from every
    left join monthly
        on monthly.month = every.month
        and monthly.province = every.province
        and monthly.activity = every.activity
        and monthly.gender = every.gender
        and monthly.education is not distinct from every.education
        and monthly.post = every.post
    window so_far as (
        partition by every.province, every.activity, every.gender, every.education, every.post
        order by every.day
        rows between unbounded preceding and current row
    )
)

select
    day,
    false as is_pair,
    province,
    activity,
    gender,
    education,
    post,
    null::province as other_province,
    null::activity as other_activity,
    null::gender as other_gender,
    null::education as other_education,
    null::post as other_post,
    cast(in_service as integer) as in_service,
    cast(active_assistants as integer) as active_assistants,
    cast(judicial_officers as integer) as judicial_officers,
    cast(veterans as integer) as veterans,
    cast(compliant_assistants as integer) as compliant_assistants,
from running
where in_service <> 0
union all
select
    months.day,
    true as is_pair,
    spell_pairs.province,
    spell_pairs.activity,
    spell_pairs.gender,
    spell_pairs.education,
    spell_pairs.post,
    spell_pairs.other_province,
    spell_pairs.other_activity,
    spell_pairs.other_gender,
    spell_pairs.other_education,
    spell_pairs.other_post,
    cast(-sum(in_service) as integer) as in_service,
    cast(-sum(active_assistants) as integer) as active_assistants,
    cast(-sum(judicial_officers) as integer) as judicial_officers,
    cast(-sum(veterans) as integer) as veterans,
    cast(-sum(compliant_assistants) as integer) as compliant_assistants,
from spell_pairs
inner join months on months.day >= spell_pairs.valid_from and months.day < spell_pairs.valid_until
group by all
order by
    day,
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
    other_post
