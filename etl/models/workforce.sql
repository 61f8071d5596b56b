-- One row per spell and stretch of days in which neither its licence nor the bands of age and tenure change, half-open.
with age_bands (age_band, from_age, to_age) as (
    values
        ('18-24', 0, 25),
        ('25-29', 25, 30),
        ('30-34', 30, 35),
        ('35-39', 35, 40),
        ('40-44', 40, 45),
        ('45-49', 45, 50),
        ('50-54', 50, 55),
        ('55-59', 55, 60),
        ('60+', 60, 200)
),

tenure_bands (tenure_band, from_months, to_months) as (
    values
        ('00-01', 0, 12),
        ('01-03', 12, 36),
        ('03-05', 36, 60),
        ('05-10', 60, 120),
        ('10+', 120, 2400)
),

-- Tenure runs from the latest joining: a break of at most 90 days or a transfer does not restart it.
joined as (
    select
        service.*,
        joiners.day as joined_on,
    from service
    asof inner join joiners
        on joiners.person_id = service.person_id
        and joiners.day <= service.hired_on
),

-- Only the year of birth is kept, so a band of age begins on the first of January.
aged as (
    select
        joined.* exclude (valid_from, valid_until),
        age_bands.age_band,
        greatest(joined.valid_from, make_date(joined.birth_year + from_age, 1, 1)) as valid_from,
        least(joined.valid_until, make_date(joined.birth_year + to_age, 1, 1)) as valid_until,
    from joined
    inner join age_bands
        on joined.valid_from < make_date(joined.birth_year + to_age, 1, 1)
        and joined.valid_until > make_date(joined.birth_year + from_age, 1, 1)
)

select
    aged.person_id,
    aged.institute_code,
    aged.province,
    aged.county,
    aged.activity,
    aged.gender,
    aged.education,
    aged.post,
    aged.age_band,
    tenure_bands.tenure_band,
    aged.birth_year,
    aged.joined_on,
    aged.is_licensed,
    aged.is_veteran,
    greatest(aged.valid_from, cast(aged.joined_on + to_months(from_months) as date)) as valid_from,
    least(aged.valid_until, cast(aged.joined_on + to_months(to_months) as date)) as valid_until,
from aged
inner join tenure_bands
    on aged.valid_from < cast(aged.joined_on + to_months(to_months) as date)
    and aged.valid_until > cast(aged.joined_on + to_months(from_months) as date)
order by valid_from, aged.person_id, aged.institute_code
