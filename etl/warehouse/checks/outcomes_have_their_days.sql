-- A decision has its day, a granted licence its validity.
select application_no
from applications
where
    (outcome is not null and decided_on is null)
    or (outcome = 'granted' and (valid_from is null or valid_until is null or valid_until < valid_from))
