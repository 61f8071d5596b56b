"""The scope: what a reader has chosen on a page, and nothing else. Equal choices are equal values. Independent of Streamlit.

`/training?province=IR-23&on=2026-03-20` is Scope(latest, (("province", ("IR-23",)),), date(2026, 3, 20)). Rights and publication
belong to who asks (`ui.data.ask`), light or dark to the moment of drawing.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date

from persiantools.jdatetime import JalaliDate

from etl.core.jalali import add_months, last_complete_months, last_complete_quarters, unit_of
from etl.semantic.rights import BELOW_PROVINCE
from etl.warehouse.dimensions import FILTERS, PLACES
from ui.data.ask import Filters, Where
from ui.i18n import text
from ui.state import periods

# The code of the country, where a place is asked for, and of the provinces similar to another place.
NATION, SIMILAR = "IR", "similar"
# How far back a day can be chosen.
_YEARS = 25
# The counties of more provinces do not fit into one chart.
_FEW_PROVINCES = 3


@dataclass(frozen=True)
class Days:
    """The range of days that can be chosen."""

    first: date
    last: date

    @classmethod
    def until(cls, latest: date) -> "Days":
        """The days that can be chosen where the data reach to `latest`."""
        return cls(add_months(latest, -12 * _YEARS), latest)

    def read(self, written: str) -> date | None:
        """The day in a text, in any digits and either calendar; None if there is none or it is out of range."""
        try:
            day = text.read_day(written)
        except ValueError:
            return None
        return day if self.first <= day <= self.last else None

    def read_end(self, written: str) -> date | None:
        """Like `read`; a Jalali year means its last day."""
        if written.isdecimal() and len(written) == len("1406"):
            try:
                written = unit_of(JalaliDate(int(written), 6, 1).to_gregorian(), "year").last.isoformat()
            except ValueError:
                return None
        return self.read(written)


def in_order(where: Where) -> Filters:
    """Filters in the order of the filter bar, without those that choose nobody."""
    return tuple((name, tuple(where[name])) for name in FILTERS if where.get(name))


@dataclass(frozen=True)
class Scope:
    """Chosen members by dimension, in the order of FILTERS; the day (None: the latest), the period (empty: none), the language.

    `latest` is the last day of the publication. It is read from it, never from an address.
    """

    latest: date
    filters: Filters = ()
    on: date | None = None
    period: str = ""
    lang: str = "fa"

    @classmethod
    def from_query(
        cls,
        query: Mapping[str, Iterable[str]],
        latest: date,
        known: Callable[[str], Collection[str]],
        lang: str = "",
    ) -> "Scope":
        """The only reader of an address; `known` gives the members of a dimension. What is not known is left out.

        `lang` is for an address that names no language.
        """
        given, days = {name: list(values) for name, values in query.items()}, Days.until(latest)
        where = {
            name: [code for code in dict.fromkeys(given[name]) if code in known(name)]
            for name in FILTERS
            if name in given
        }
        day, period, written = (given.get(name, [""])[-1] for name in ("on", "period", "lang"))
        on, within = days.read(day), periods.within(periods.canonical(period), days.first, days.last)
        return cls(latest, in_order(where), None if on == latest else on, within, text.language(written or lang))

    def query(self) -> dict[str, list[str]]:
        """The only writer of an address: `from_query(scope.query(), …) == scope`. Defaults are left out."""
        return self.address() | ({"lang": ["en"]} if self.lang == "en" else {})

    def address(self) -> dict[str, list[str]]:
        """The parameters of the address without the language, which each page adds by itself."""
        pairs = {name: list(codes) for name, codes in self.filters}
        pairs |= {"on": [self.on.isoformat()]} if self.on else {}
        return pairs | ({"period": [self.period]} if self.period else {})

    @property
    def where(self) -> dict[str, tuple[str, ...]]:
        return dict(self.filters)

    @property
    def day(self) -> date:
        return self.on or self.latest

    @property
    def over(self) -> tuple[date, date] | None:
        """The period of flows and trends; None if each figure uses its own."""
        return periods.days(self.period, self.day) if self.period else None

    @property
    def is_empty(self) -> bool:
        """Whether nothing is chosen."""
        return not (self.filters or self.on or self.period)

    @property
    def province(self) -> str:
        """The one province that it is of, and of no smaller place; else empty."""
        provinces = self.where.get("province", ())
        return provinces[0] if len(provinces) == 1 and not BELOW_PROVINCE & {*self.where} else ""

    @property
    def smallest_place(self) -> tuple[str, str] | None:
        """The one institute, county or province that it is of; None for several of them, and for the nation."""
        chosen = next((name for name in ("institute", *reversed(PLACES)) if name in self.where), "")
        codes = self.where.get(chosen, ())
        return (chosen, codes[0]) if len(codes) == 1 else None

    @property
    def has_map(self) -> bool:
        """Whether a map of provinces has something to compare: not in one province, county or institute."""
        return not BELOW_PROVINCE & {*self.where} and len(self.where.get("province", ())) != 1

    def under(self, dimensions: Collection[str]) -> tuple[dict[str, tuple[str, ...]], list[str]]:
        """The filters that are among `dimensions`, and the names of the others."""
        where = {name: codes for name, codes in self.filters if name in dimensions}
        return where, [name for name, _ in self.filters if name not in where]

    def place(self, has_counties: bool) -> str:
        """The dimension of places: counties if only a few provinces are chosen and the measures have counties."""
        few = 0 < len(self.where.get("province", ())) <= _FEW_PROVINCES
        return "county" if (few or "county" in self.where) and has_counties else "province"

    # ---------------------------------------------------------------- others like it

    def with_filter(self, dimension: str, codes: Iterable[str]) -> "Scope":
        """A copy with one filter replaced; filters on smaller places are dropped, since those may be elsewhere."""
        where = self.where | {dimension: tuple(codes)}
        for below in PLACES[PLACES.index(dimension) + 1 :] if dimension in PLACES else ():
            where.pop(below, None)
        return self.of(where)

    def toggled(self, dimension: str, code: str | None) -> "Scope":
        """Filtered by one member, or no longer if it is that member already."""
        is_chosen = code is None or self.where.get(dimension, ()) == (code,)
        return self.with_filter(dimension, () if is_chosen else (code or "",))

    def of(self, where: Where) -> "Scope":
        """A copy under other filters."""
        return replace(self, filters=in_order(where))

    def on_day(self, day: date) -> "Scope":
        """A copy on another day."""
        return replace(self, on=None if day >= self.latest else day)

    def without_period(self) -> "Scope":
        return replace(self, period="") if self.period else self

    def of_everybody(self) -> "Scope":
        """A copy without filters."""
        return self.of({})

    def emptied(self) -> "Scope":
        """A copy in which nothing is chosen."""
        return Scope(self.latest, lang=self.lang)

    # ---------------------------------------------------------------- days

    def months(self, count: int) -> tuple[date, date]:
        """The latest `count` complete Jalali months before the day, and the days since."""
        return last_complete_months(self.day, count)[0], self.day

    def complete_months(self, count: int) -> tuple[date, date]:
        return last_complete_months(self.day, count)

    def complete_quarters(self, count: int) -> tuple[date, date]:
        return last_complete_quarters(self.day, count)

    def years(self, count: int) -> tuple[date, date]:
        """The Jalali year of the day and the `count` years before it."""
        return unit_of(add_months(self.day, -12 * count), "year").first, self.day
