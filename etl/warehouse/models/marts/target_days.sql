-- One row per place (a province, or the nation as null) and interval of days with one target of active assistants, half-open.
with wanted as (
    select province, date as day, value
    from targets
    where metric = 'active_assistants'
),

-- A province without a target of its own gets its census share of the nation's.
shares as (
    select
        iso_3166_2 as province,
        population_2016 / sum(population_2016) over () as share,
    from provinces
),

starts as (
    select distinct shares.province, shares.share, wanted.day
    from shares
    inner join wanted on wanted.province is null or wanted.province = shares.province
),

dated as (
    select
        starts.province,
        starts.day,
        coalesce(own.value, starts.share * nation.value) as value,
        own.value is not null as is_own,
    from starts
    asof left join wanted as own on own.province = starts.province and own.day <= starts.day
    asof left join (from wanted where province is null) as nation on nation.day <= starts.day
    union all
    select province, day, value, true
    from wanted
    where province is null
)

select
    province,
    value,
    is_own,
    day as valid_from,
    coalesce(lead(day) over (partition by province order by day), date '9999-12-31') as valid_until,
from dated
order by province nulls first, valid_from
