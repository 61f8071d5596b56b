-- A survival curve begins at 1 with everyone who joined, never rises, and lies between its bounds.
with steps as (
    select
        *,
        lag(survival, 1, 1.0) over curve as survival_before,
        lag(at_risk) over curve as at_risk_before,
        lag(served, 1, -1) over curve as served_before,
    from survival_curves
    window curve as (partition by dimension, member order by served)
),

everyone as (
    select count(*) as people
    from joiners
    inner join publication on joiners.day <= publication.as_of
)

select dimension, member, served
from steps
cross join everyone
where
    served <> served_before + 1
    or (served = 0 and (survival <> 1 or at_risk > people))
    or (served = 0 and dimension = 'all' and at_risk <> people)
    or not survival between 0 and survival_before
    or at_risk > at_risk_before
    or not survival_low <= survival
    or not survival_high >= survival
