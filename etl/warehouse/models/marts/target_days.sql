-- One row per place (a province, or the nation as null) and interval of days with one target of active assistants, half-open.
with shares as (
    select
        iso_3166_2 as province,
        population_2016 / sum(population_2016) over () as share,
    from provinces
),

wanted as (
    select province, date as day, value
    from targets
    where metric = 'active_assistants'
),

starts as (
    select distinct shares.province, shares.share, wanted.day
    from shares
    inner join wanted on wanted.province is null or wanted.province = shares.province
),

provincial as (
    select
        starts.province,
        starts.day,
        (
            select max_by(own.value, own.day)
            from wanted as own
            where own.province = starts.province and own.day <= starts.day
        ) as own_value,
        starts.share * (
            select max_by(nation.value, nation.day)
            from wanted as nation
            where nation.province is null and nation.day <= starts.day
        ) as shared_value,
    from starts
),

dated as (
    select province, day, coalesce(own_value, shared_value) as value, own_value is not null as is_own
    from provincial
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
