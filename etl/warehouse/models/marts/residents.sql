-- One row per county of the census of 1395 and interval of days between two dates of its province's residents, half-open.
with shares as (
    select
        province_iso as province,
        sci_code as county,
        population_2016 / sum(population_2016) over (partition by province_iso) as share,
    from counties
),

-- Residents are constant before the first and after the last date.
dated as (
    select province, date, residents
    from population
    union all
    select province, date '0001-01-01', arg_min(residents, date)
    from population
    group by province
),

stretches as (
    select
        province,
        date as valid_from,
        lead(date, 1, date '9999-12-31') over dates as valid_until,
        residents,
        (lead(residents, 1, residents) over dates - residents) / (valid_until - valid_from) as change_a_day,
    from dated
    window dates as (partition by province order by date)
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
