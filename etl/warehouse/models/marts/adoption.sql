-- One row per province and activity: the licensed institutes on the as-of day, and those with smart services. The flag has no
-- history in the register, so rows of earlier publications are added afterwards (etl/warehouse/adoption_history.py).
select
    province,
    activity,
    count(distinct institute_code) as licensed_institutes,
    count(distinct institute_code) filter (where smart_services) as smart_institutes,
    as_of as valid_from,
    date '9999-12-31' as valid_until,
from licensed_days
inner join publication on licensed_days.valid_from <= as_of and licensed_days.valid_until > as_of
group by province, activity, as_of
