"""Rights: what a person may see, as grants of the groups they belong to.

A person of some provinces asks their rows by everything; of everybody else they see the open totals. `etl.semantic.open_totals`
decides which these are.
"""

from dataclasses import dataclass, field
from enum import Enum
from functools import cache, cached_property

from etl.core.places import places


class WholeCountry(Enum):
    """Every province, as an explicit value: a missing one never means all."""

    WHOLE_COUNTRY = "whole country"


WHOLE_COUNTRY = WholeCountry.WHOLE_COUNTRY
# From the narrowest to the widest.
ROLES = ("none", "province", "submitter", "national", "steward")
_OF_PROVINCES = ("province", "submitter")
BELOW_PROVINCE = frozenset({"county", "institute"})


@cache
def every_province() -> frozenset[str]:
    """The codes of all provinces."""
    return frozenset(places().provinces.values())


@dataclass(frozen=True)
class Grant:
    """The rights of one group: its provinces, and whether rows of persons and files of them may be seen and taken away.

    Raises ValueError if role and provinces do not fit.
    """

    role: str
    provinces: frozenset[str] | WholeCountry = frozenset()
    may_see_detail: bool = False
    may_export: bool = False

    def __post_init__(self) -> None:
        if self.role not in ROLES[1:]:
            raise ValueError(f"no role is called {self.role}")
        if self.provinces is WHOLE_COUNTRY:
            fits = self.role not in _OF_PROVINCES
        else:
            fits = isinstance(self.provinces, frozenset) and self.provinces <= every_province()
            fits = fits and bool(self.provinces) and self.role in _OF_PROVINCES
        if not fits:
            raise ValueError(f"the role {self.role} does not go with these provinces")

    @property
    def codes(self) -> frozenset[str]:
        """The codes of its provinces."""
        return every_province() if isinstance(self.provinces, WholeCountry) else self.provinces

    def may_take(self, provinces: frozenset[str], is_detail: bool = False) -> bool:
        """Whether it allows a file of numbers of these provinces (none: numbers that are open to everybody)."""
        return self.may_export and (self.may_see_detail or not is_detail) and provinces <= self.codes


@dataclass(frozen=True)
class AccessScope:
    """What one person may see: a set of grants, none for a person without rights.

    A number needs one grant of its province. Rows of persons need one with that right, and a file one that allows all of it,
    so groups never combine to more than each of them gives. `sub` names the person and takes no part in comparison: equal
    rights share cached answers.
    """

    sub: str = field(compare=False)
    grants: frozenset[Grant]

    def __post_init__(self) -> None:
        if not isinstance(self.grants, frozenset) or not all(isinstance(grant, Grant) for grant in self.grants):
            raise TypeError("a scope is made of grants")

    @cached_property
    def role(self) -> str:
        """The widest role."""
        return max((grant.role for grant in self.grants), key=ROLES.index, default="none")

    @cached_property
    def sees_whole_country(self) -> bool:
        return any(grant.provinces is WHOLE_COUNTRY for grant in self.grants)

    @cached_property
    def codes(self) -> frozenset[str]:
        """The provinces of which more than open totals is visible."""
        return frozenset().union(*(grant.codes for grant in self.grants))

    @property
    def others(self) -> frozenset[str]:
        """The provinces of which only open totals are visible."""
        return every_province() - self.codes

    @cached_property
    def with_detail(self) -> "AccessScope":
        """The part of the scope that shows rows of persons."""
        return AccessScope(self.sub, frozenset(grant for grant in self.grants if grant.may_see_detail))

    def may_take(self, provinces: frozenset[str], is_detail: bool = False) -> bool:
        """Whether one grant allows a file of these provinces."""
        return any(grant.may_take(provinces, is_detail) for grant in self.grants)

    def rights(self) -> "AccessScope":
        """The same rights without the person: answers are cached and checked by them."""
        return AccessScope("", self.grants)


# The scope of commands on the server, and of every user in the mode `open`.
ADMINISTRATOR = AccessScope("administrator", frozenset({Grant("steward", WHOLE_COUNTRY, True, True)}))
