-- One row per day and cell in which a number of persons changes, with the net change of each stock. Whoever has two spells
-- stands in the cells of both; is_pair marks the rows, negative, that take one off where both are asked for.
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
    where not is_many
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
    where not is_many
    union all
    select valid_from, province, activity, gender, education, post, 0, 0, 0, 0, 1
    from readiness
    where not is_many and lapses_on > valid_from
    union all
    select least(valid_until, lapses_on), province, activity, gender, education, post, 0, 0, 0, 0, -1
    from readiness
    where not is_many and lapses_on > valid_from
),

crossed as (
    select valid_from as day, -1 as sign, * exclude (valid_from, valid_until)
    from spell_pairs
    union all
    select valid_until, 1, * exclude (valid_from, valid_until)
    from spell_pairs
),

net as (
    select
        day,
        false as is_pair,
        province,
        activity,
        gender,
        education,
        post,
        sum(in_service) as in_service,
        sum(active_assistants) as active_assistants,
        sum(judicial_officers) as judicial_officers,
        sum(veterans) as veterans,
        sum(compliant_assistants) as compliant_assistants,
    from changes
    group by all
    union all by name
    select
        day,
        true as is_pair,
        province,
        activity,
        gender,
        education,
        post,
        other_province,
        other_activity,
        other_gender,
        other_education,
        other_post,
        sum(sign * in_service) as in_service,
        sum(sign * active_assistants) as active_assistants,
        sum(sign * judicial_officers) as judicial_officers,
        sum(sign * veterans) as veterans,
        sum(sign * compliant_assistants) as compliant_assistants,
    from crossed
    group by all
)

select
    day,
    is_pair,
    province,
    activity,
    gender,
    education,
    post,
    other_province,
    other_activity,
    other_gender,
    other_education,
    other_post,
    cast(in_service as integer) as in_service,
    cast(active_assistants as integer) as active_assistants,
    cast(judicial_officers as integer) as judicial_officers,
    cast(veterans as integer) as veterans,
    cast(compliant_assistants as integer) as compliant_assistants,
from net
where
    day < date '9999-12-31'
    and (in_service <> 0 or active_assistants <> 0 or judicial_officers <> 0 or veterans <> 0 or compliant_assistants <> 0)
order by
    day,
    is_pair,
    province,
    activity,
    gender,
    education,
    post,
    other_province,
    other_activity,
    other_gender,
    other_education,
    other_post
