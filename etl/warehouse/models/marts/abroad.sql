-- One row per figure of another country: how many persons of which kind of force it counts in which year.
select
    "row" as figure,
    case when country like '%(England and Wales)%' then 'GBR-EAW' else iso3 end as country,
    -- Guards work under contracts, volunteers give their time, auxiliaries are called up to support the police.
    case
        when category like 'Home Guards%' then 'auxiliaries'
        when category like '%volunteer%' or category like '%patrols%' then 'volunteers'
        when category like '%guard%' or category like '%security%' or category like '%SIA licence%' then 'guards'
        else 'others'
    end as force,
    case
        when category like '%SIA licence%' then 'licence_holders'
        when category like 'special constables%' then 'special_constables'
        when category like 'crime-prevention volunteers%' then 'crime_prevention'
        when category like 'Home Guards%' then 'home_guards'
        when category like '%patrols%' then 'peoples_patrols'
        when category like 'active registered%' then 'registered_officers'
        when category like '%low estimate%' then 'formal_sector_low'
        when category like 'licensed%' then 'licensed_guards'
        when category like '%employed%' then 'employed_guards'
        when category like '%working%' then 'working_guards'
        when category like '%personnel%' then 'private_personnel'
        else 'private_guards'
    end as counted,
    persons,
    year,
    confidence as sureness,
    source,
    url as address,
    population,
    persons / nullif(population, 0) * 100000 as persons_per_100k,
    -- The latest figure of a country and kind is used; an undated one only if there is no other.
    row_number() over (
        partition by country, iso3, force
        order by year desc nulls last, confidence = 'high' desc, "row"
    ) = 1 as is_latest,
from international
order by figure
