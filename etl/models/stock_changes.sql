-- One row per day and cell in which the number of persons with one spell changes, with the net change of each stock.
with changes as (
    select
        valid_from as day,
        province,
        activity,
        gender,
        education,
        post,
        1 as in_service,
        cast(is_licensed as integer) as active_assistants,
        cast(is_licensed and is_judicial_officer as integer) as judicial_officers,
        cast(is_licensed and is_veteran as integer) as veterans,
        0 as compliant_assistants,
    from service
    where is_sole
    union all
    select
        valid_until,
        province,
        activity,
        gender,
        education,
        post,
        -1,
        -cast(is_licensed as integer),
        -cast(is_licensed and is_judicial_officer as integer),
        -cast(is_licensed and is_veteran as integer),
        0,
    from service
    where is_sole
    union all
    select valid_from, province, activity, gender, education, post, 0, 0, 0, 0, 1
    from readiness
    where is_sole and lapses_on > valid_from
    union all
    select least(valid_until, lapses_on), province, activity, gender, education, post, 0, 0, 0, 0, -1
    from readiness
    where is_sole and lapses_on > valid_from
)

select
    day,
    province,
    activity,
    gender,
    education,
    post,
    cast(sum(in_service) as integer) as in_service,
    cast(sum(active_assistants) as integer) as active_assistants,
    cast(sum(judicial_officers) as integer) as judicial_officers,
    cast(sum(veterans) as integer) as veterans,
    cast(sum(compliant_assistants) as integer) as compliant_assistants,
from changes
where day < date '9999-12-31'
group by all
having
    sum(in_service) <> 0
    or sum(active_assistants) <> 0
    or sum(judicial_officers) <> 0
    or sum(veterans) <> 0
    or sum(compliant_assistants) <> 0
order by day, province, activity, gender, education, post
