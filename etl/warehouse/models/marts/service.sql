-- One row per spell and interval of days in which nothing changes: licence, accreditation, other spells of the person. Half-open.
with crossings as (
    select spells.spell_id, other.hired_on as other_from, other.end_day as other_until
    from spells
    inner join spells as other
        on other.person_id = spells.person_id
        and other.spell_id <> spells.spell_id
        and other.hired_on < spells.end_day
        and other.end_day > spells.hired_on
),

accredited as (
    select
        spell_id,
        judicial_officer_from as accredited_from,
        coalesce(judicial_officer_until + 1, date '9999-12-31') as accredited_until,
    from spells
    where judicial_officer_from is not null
),

changes as (
    select spells.spell_id, unnest([licensed_days.valid_from, licensed_days.valid_until]) as day
    from spells
    inner join licensed_days using (institute_code)
    union all
    select spell_id, unnest([accredited_from, accredited_until])
    from accredited
    union all
    select spell_id, unnest([other_from, other_until])
    from crossings
),

starts as (
    select spell_id, hired_on as day
    from spells
    union
    select spell_id, day
    from changes
    inner join spells using (spell_id)
    where day > hired_on and day < end_day
),

stretches as (
    select
        spell_id,
        day as valid_from,
        lead(day) over (partition by spell_id order by day) as next_day,
    from starts
),

-- Tenure runs from the latest joining: a break of at most 90 days or a transfer does not restart it.
joined as (
    select spells.spell_id, joiners.day as joined_on
    from spells
    asof inner join joiners
        on joiners.person_id = spells.person_id
        and joiners.day <= spells.hired_on
),

shared as (
    select stretches.spell_id, stretches.valid_from, count(*) as others
    from stretches
    inner join crossings
        on crossings.spell_id = stretches.spell_id
        and crossings.other_from <= stretches.valid_from
        and crossings.other_until > stretches.valid_from
    group by all
)

select
    spells.person_id,
    spells.institute_code,
    {{ spell(spells) }},
    spells.birth_month,
    spells.hired_on,
    spells.first_hired_on,
    joined.joined_on,
    spells.is_veteran,
    licensed_days.institute_code is not null as is_licensed,
    accredited.spell_id is not null as is_judicial_officer,
    -- No other spell of the person runs: such rows are counted without distinct persons.
    shared.others is null as is_single_spell,
    -- Two or more other spells run: running totals leave these persons out, and they are counted separately.
    coalesce(shared.others > 1, false) as is_many,
    accredited.accredited_until,
    stretches.valid_from,
    coalesce(stretches.next_day, spells.end_day) as valid_until,
from stretches
inner join spells using (spell_id)
inner join joined using (spell_id)
left join licensed_days
    on licensed_days.institute_code = spells.institute_code
    and licensed_days.valid_from <= stretches.valid_from
    and licensed_days.valid_until > stretches.valid_from
left join accredited
    on accredited.spell_id = stretches.spell_id
    and accredited.accredited_from <= stretches.valid_from
    and accredited.accredited_until > stretches.valid_from
left join shared
    on shared.spell_id = stretches.spell_id
    and shared.valid_from = stretches.valid_from
-- A question about a county or an institute reads few row groups.
order by spells.county, spells.institute_code, stretches.valid_from, spells.spell_id
