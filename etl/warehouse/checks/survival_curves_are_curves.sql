-- A survival curve begins at 1 with everyone who joined, never rises, and lies between its bounds.
with everyone as (
    select count(*) as people
    from joiners
    inner join publication on joiners.day <= publication.as_of
)

select dimension, member, served
from survival_curves
cross join everyone
window curve as (partition by dimension, member order by served)
qualify
    served <> lag(served, 1, -1) over curve + 1
    or (served = 0 and (survival <> 1 or at_risk > people))
    or (served = 0 and dimension = 'all' and at_risk <> people)
    or not survival between 0 and lag(survival, 1, 1.0) over curve
    or at_risk > lag(at_risk) over curve
    or not survival_low <= survival
    or not survival_high >= survival
