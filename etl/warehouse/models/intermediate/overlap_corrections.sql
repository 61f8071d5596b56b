-- One row per interval in which exactly two spells of a person overlap, with the cells of both and the totals that count both.
-- A question that covers both cells counts the person twice: these rows are subtracted.
select
    greatest(spell.valid_from, other.valid_from) as valid_from,
    least(spell.valid_until, other.valid_until) as valid_until,
    {{ cell(spell) }},
    {{ cell(other, other_) }},
    {{ rollup_counts(spell, other) }},
    0 as compliant_assistants,
from service_shared as spell
inner join service_shared as other
    on other.person_id = spell.person_id
    and (other.institute_code, other.rowid) > (spell.institute_code, spell.rowid)
    and other.valid_from < spell.valid_until
    and other.valid_until > spell.valid_from
where not spell.is_many and not other.is_many
union all
select
    spell.valid_from,
    least(spell.valid_until, spell.lapses_on) as valid_until,
    {{ cell(spell) }},
    {{ cell(other, other_) }},
    {{ rollup_zeros }},
    1 as compliant_assistants,
from compliance_intervals_shared as spell
-- Courses belong to the person, not to the spell: both spells have the same intervals.
inner join compliance_intervals_shared as other
    on other.person_id = spell.person_id
    and other.valid_from = spell.valid_from
    and (other.institute_code, other.rowid) > (spell.institute_code, spell.rowid)
where not spell.is_many and spell.lapses_on > spell.valid_from
order by all
