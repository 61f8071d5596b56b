-- One row per person in active service, required course and interval of days in which nothing changes, half-open.
select
    requirements.course_code as course,
    service.person_id,
    service.institute_code,
    {{ spell(service) }},
    service.is_judicial_officer,
    service.is_single_spell,
    requirements.due_on,
    requirements.expires_on,
    requirements.lapses_on,
    greatest(requirements.valid_from, service.valid_from) as valid_from,
    least(requirements.valid_until, service.valid_until) as valid_until,
from requirements
inner join service
    on service.person_id = requirements.person_id
    and service.valid_from < requirements.valid_until
    and service.valid_until > requirements.valid_from
where service.is_licensed
-- Those of persons with several spells, which are counted by count(distinct), are stored together. By half-years: a question about
-- lapses reads the rows of one or two, one about a county or an institute few row groups of each.
order by
    service.is_single_spell desc,
    year(requirements.lapses_on),
    month(requirements.lapses_on) // 7,
    service.county,
    service.institute_code
