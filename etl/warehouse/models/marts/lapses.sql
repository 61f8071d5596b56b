-- One row per compliance interval that still runs in the 90 days before it lapses: no other counts in a question about lapses.
select * exclude (hired_on, is_many, last_expires_on, trained_until, overdue_on)
from compliance_intervals
where lapses_on < date '9999-12-31' and valid_until > lapses_on - 90
order by lapses_on
