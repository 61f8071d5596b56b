-- One row per county of the census of 1395 and interval of days between two dates of its province's residents, half-open.
with shares as (
    select
        province_iso as province,
        sci_code as county,
        population_2016 / sum(population_2016) over (partition by province_iso) as share,
    from counties
),

dated as (
    select
        province,
        date as valid_from,
        lead(date) over dates as valid_until,
        residents,
        lead(residents) over dates as residents_then,
    from population
    window dates as (partition by province order by date)
),

-- Residents are constant before the first and after the last date.
stretches as (
    select
        province,
        date '0001-01-01' as valid_from,
        min(valid_from) as valid_until,
        arg_min(residents, valid_from) as residents,
        0 as change_a_day,
    from dated
    group by province
    union all
    select
        province,
        valid_from,
        coalesce(valid_until, date '9999-12-31'),
        residents,
        coalesce((residents_then - residents) / (valid_until - valid_from), 0),
    from dated
)

select
    shares.province,
    shares.county,
    stretches.residents * shares.share as residents,
    stretches.change_a_day * shares.share as change_a_day,
    stretches.valid_from,
    stretches.valid_until,
from shares
inner join stretches using (province)
order by county, valid_from
