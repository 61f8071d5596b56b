-- An institute's licensed days do not overlap.
select institute_code, valid_from
from licensed_days
qualify
    lag(valid_until) over (partition by institute_code order by valid_from) >= valid_from
    or valid_until <= valid_from
