-- One row per interval in which exactly two spells of a person overlap, with the cells of both and the totals that count both.
-- A question that covers both cells counts the person twice: these rows are subtracted.
select
    greatest(one.valid_from, other.valid_from) as valid_from,
    least(one.valid_until, other.valid_until) as valid_until,
    {{ cell(one) }},
    {{ cell(other, other_) }},
    1 as in_service,
    cast(one.is_licensed and other.is_licensed as integer) as active_assistants,
    cast(
        one.is_licensed and one.is_judicial_officer and other.is_licensed and other.is_judicial_officer as integer
    ) as judicial_officers,
    cast(one.is_licensed and one.is_veteran and other.is_licensed and other.is_veteran as integer) as veterans,
    0 as compliant_assistants,
from service_shared as one
inner join service_shared as other
    on other.person_id = one.person_id
    and (other.institute_code, other.rowid) > (one.institute_code, one.rowid)
    and other.valid_from < one.valid_until
    and other.valid_until > one.valid_from
where not one.is_many and not other.is_many
union all
select
    one.valid_from,
    least(one.valid_until, one.lapses_on) as valid_until,
    {{ cell(one) }},
    {{ cell(other, other_) }},
    0 as in_service,
    0 as active_assistants,
    0 as judicial_officers,
    0 as veterans,
    1 as compliant_assistants,
from compliance_intervals_shared as one
-- Courses belong to the person, not to the spell: both spells have the same intervals.
inner join compliance_intervals_shared as other
    on other.person_id = one.person_id
    and other.valid_from = one.valid_from
    and (other.institute_code, other.rowid) > (one.institute_code, one.rowid)
where not one.is_many and one.lapses_on > one.valid_from
order by all
