-- One row per institute.
select
    cast(institute_code_shown as institute) as institute_code,
    name_shown as name,
    cast(province as province) as province,
    cast(county as county) as county,
    -- The name that was submitted, of a county created or renamed since the census.
    county_shown as county_written,
    cast(activity as activity) as activity,
    founded_on,
    status,
    status_since,
    smart_services,
    case when smart_services then 'yes' when not smart_services then 'no' end as smart,
    veteran_led,
    -- The first day on which its licences no longer count.
    case
        when status in ('suspended', 'revoked', 'closed') then status_since
        else date '9999-12-31'
    end as stopped_on,
from loaded_institutes
order by institute_code
