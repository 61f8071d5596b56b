-- One row per compliance interval that still runs in the 90 days before it lapses: no other counts in a question about lapses.
select * exclude (hired_on, is_many, last_expires_on, trained_until, overdue_on)
from compliance_intervals
where lapses_on > valid_from and valid_until > lapses_on - 90 and lapses_on < date '9999-12-31'
-- Those of persons with several spells, which are counted by count(distinct), are stored together.
order by is_single_spell desc, lapses_on
