"""The lines that a few words lead to, the composed answer first: each has a kind, a title, what it is, and an address.

«آموزش فارس» begins with «پایبندی آموزشی · فارس · ۸۷٫۲٪», under the user's rights. Every address is that of a link of the pages.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from functools import partial
from typing import Any

from etl.core.errors import AccessDenied, QuestionError
from etl.semantic.answers import Answer
from etl.semantic.catalog import catalogue, entries, tables
from etl.warehouse.dimensions import FILTERS
from ui.data import page_run, warehouse
from ui.exhibits import findings, verdict
from ui.exhibits.exhibit import Exhibit
from ui.find import reading, words
from ui.find.reading import Reading
from ui.find.words import LISTS, PLACES, Meaning
from ui.i18n import member_names, navigation, text
from ui.state import page_context, page_parameters, periods, questions, saved_views, wording
from ui.state.page_context import PageContext
from ui.state.scope import Scope, in_order

MOST = 8
_MOST_OF_KIND = 4
# What a line may be.
RESULTS = ("answer", "page", "place", "institute", "measure", "list", "view", "command")
# The page of a group of measures, where it has not the name of the group, and of measures that another one shows.
_PAGES = {"stock": "overview", "international": "coverage", "smart": "licensing"}
_SHOWN_ON = {"licensed_institutes": "licensing", "lapsed_licence_service": "licensing"}
# The measures whose month of the target may be asked for, and those by which somebody is behind if none is named.
_OF_TARGET = ("", "active_assistants", "target_progress", "target")
_BEHIND_IN = ("coverage_per_10k", "training_compliance")
# What is counted where only people and places are named.
_PEOPLE = "active_assistants"
# Left out: too little may be known (contract of the files).
CONFIDENTIAL = "c"


@dataclass(frozen=True)
class Result:
    kind: str
    title: str
    about: str
    address: str
    value: str = ""


@dataclass(frozen=True)
class Found:
    understood: tuple[dict[str, str], ...]
    unknown: tuple[str, ...]
    results: tuple[Result, ...] = field(default_factory=tuple)

    def as_json(self) -> dict[str, Any]:
        return {
            "understood": list(self.understood),
            "unknown": list(self.unknown),
            "results": [asdict(result) for result in self.results],
        }


def find(written: str, lang: str) -> Found:
    """What a text leads to, best first, for the user of this thread and the publication that it reads."""
    latest = page_run.publication().as_of
    known = words.words(lang)
    read = reading.read(written, known, latest)
    institutes = _institutes_named(lang, read.loose(), known.institutes)
    if institutes and len(read.loose()) > 1:
        # The words are those of a name, which begin or resemble others by chance.
        read = replace(read.exact(), unknown=())
    view = PageContext(_scope(read, latest, lang), has_period=True)
    lines = [*_composed(view, read), *_listed(view, read, institutes)] or _elsewhere(view)
    results: dict[tuple[str, str], Result] = {}
    for line in lines:
        results.setdefault((line.kind, line.address), line)
    return Found(tuple(reading.said(read.understood)), read.unknown, tuple(results.values())[:MOST])


# ---------------------------------------------------------------- the question


def _scope(read: Reading, latest: date, lang: str) -> Scope:
    """The scope that the words name: one place, the members of other dimensions, a day or a period."""
    where: dict[str, tuple[str, ...]] = {}
    for part in read.understood:
        meaning = _preferred(part.meanings)
        # A beginning of several names says none of them.
        if meaning and not (part.is_beginning and len(part.meanings) > 1):
            where[meaning.kind] = (*where.get(meaning.kind, ()), meaning.code)
    if counties := where.get("county"):
        where["province"] = tuple(dict.fromkeys(words.province_of(code) for code in counties))
    scope = Scope(latest, in_order({name: tuple(dict.fromkeys(codes)) for name, codes in where.items()}), lang=lang)
    if not read.period or read.period.unit.first > latest:
        return scope
    unit = read.period.unit
    on = unit.last if unit.last < latest else None
    return replace(scope, on=on, period=periods.written(unit.first, min(unit.last, latest)))


def _preferred(meanings: Sequence[Meaning]) -> Meaning | None:
    """What a name of several things filters by: a province before a county; a page or a measure is no filter."""
    of_filter = [one for one in meanings if one.kind in FILTERS]
    return min(of_filter, key=lambda one: FILTERS.index(one.kind)) if of_filter else None


def _measure(read: Reading) -> str:
    """The measure that the words name; of several the first. Who names people alone asks how many they are."""
    # What is spelt out goes before what begins so.
    for part in sorted(read.understood, key=lambda part: part.is_guess or part.is_beginning):
        # "Women" are people before they are a measure.
        if _preferred(part.meanings) is None:
            for meaning in part.meanings:
                if meaning.kind == "measure":
                    return meaning.code
    is_of_people = any(one.kind in FILTERS and one.kind not in (*PLACES, "institute") for one in read.all(*FILTERS))
    return _PEOPLE if is_of_people and not read.all("page", "part", "list", "command", "view", "question") else ""


def _composed(view: PageContext, read: Reading) -> Iterator[Result]:
    """The list that is named, and the line of a measure with its number: of one place, or of two beside each other."""
    yield from (_list(view, meaning) for meaning in read.all("list")[:1])
    name, asked = _measure(read), {meaning.code for meaning in read.all("question")}
    if asked:
        yield from _in_words(view, name, asked)
        return
    if not name:
        return
    metric, provinces = catalogue()[name], view.where.get("province", ())
    # Two days are compared by what is measured on a day.
    most_beside = 1 if metric.kind == "event" else 2
    by = [axis for axis in read.by or (("province",) if len(provinces) > most_beside else ()) if axis in metric.groups]
    if len(provinces) == 2 and not by and not view.where.get("county"):
        yield _of_two(view, name, provinces)
        return
    number = _number(view, name)
    value, ignored, when = number.value, number.ignored, _when(view, number.answer)
    where = {key: codes for key, codes in view.where.items() if key not in ignored}
    left_out = number.answer.left_out if number.answer else ()
    if number.answer and left_out:
        where |= {key: codes for key, codes in number.answer.where.items() if key == "province"}
    place = _place(view, where)
    title = " · ".join(filter(None, (metric.label[view.lang], place, when, value)))
    part, own = ("explore", {"m": [name], "by": by}) if by else _page_of(name, where)
    chosen = {key: values for key, values in view.scope.address().items() if key not in ignored}
    about = _about(view, part, ignored, left_out)
    yield Result("answer", title, about, _address(part, view, chosen | own), value)


def _in_words(view: PageContext, name: str, asked: Collection[str]) -> Iterator[Result]:
    """What is asked in words is answered with the sentences of the pages: when the target is reached, and who is behind."""
    made: list[tuple[str, Callable[[], Exhibit]]] = []
    scope, ask = view.asked, warehouse.of_page()
    if "when" in asked and name in _OF_TARGET:
        made.append(("target_progress", partial(verdict.when_reached, scope, ask)))
    if "behind" in asked:
        rates = (name,) if name else _BEHIND_IN
        made += [(rate, partial(findings.of_rate, scope, ask, rate)) for rate in rates]
    for measure, make in made:
        with suppress(AccessDenied, QuestionError):
            if said := " ".join(make().sentences):
                part, own = _page_of(measure, view.where)
                address = _address(part, view, view.scope.address() | own)
                yield Result("answer", said, _about(view, part), address)


def _of_two(view: PageContext, name: str, provinces: Sequence[str]) -> Result:
    """The line of two provinces beside each other, with the filters and the day that both numbers have."""
    numbers = [_number(_of(view, (code,)), name) for code in provinces]
    scope = _of(view, ()).scope
    where = {key: codes for key, codes in scope.where.items() if not any(key in number.ignored for number in numbers)}
    ignored = [key for key in view.where if key not in (*where, "province")]
    when = next(filter(None, (_when(view, number.answer) for number in numbers)), "")
    values = [number.value for number in numbers]
    sides = (f"{view.member('province', code)} {value}" for code, value in zip(provinces, values, strict=True))
    title = " · ".join(filter(None, (catalogue()[name].label[view.lang], *wording.filters(view, where), when, *sides)))
    chosen = scope.of(where).address() | {"p": [provinces[0]], "q": [provinces[1]], "m": [name]}
    address = _address("compare", view, chosen)
    return Result("answer", title, _about(view, "compare", ignored), address, " / ".join(values))


def _place(view: PageContext, where: Mapping[str, tuple[str, ...]]) -> str:
    """A place with its other filters; of several provinces each by its name."""
    provinces = where.get("province", ())
    if len(provinces) < 2 or "county" in where:
        return page_context.place(view, where)
    names = [text.isolated(view.member("province", code), view.lang) for code in provinces]
    of_first = page_context.place(view, {**where, "province": provinces[:1]})
    return text.listed(names, view.lang) + of_first.removeprefix(names[0])


def _of(view: PageContext, provinces: tuple[str, ...]) -> PageContext:
    return replace(view, scope=view.scope.with_filter("province", provinces))


@dataclass(frozen=True)
class _Number:
    """A number as it is written, its answer if there is one, and the filters that have no effect on it."""

    value: str
    answer: Answer | None = None
    ignored: Sequence[str] = ()


def _number(view: PageContext, name: str) -> _Number:
    """The number of a measure: `c` where the user may not know it, undefined where no month of it is settled yet."""
    unit = catalogue()[name].unit
    try:
        answer, ignored = questions.ask_under(view.asked, warehouse.of_page(), (name,), without=_of_no_effect(name))
    except AccessDenied:
        return _Number(CONFIDENTIAL)
    except QuestionError:
        return _Number(text.amount(None, unit, view.lang))
    is_left_out = any(column == name for _, column in answer.hidden)
    return _Number(CONFIDENTIAL if is_left_out else text.amount(answer.value(name), unit, view.lang), answer, ignored)


def _of_no_effect(name: str) -> frozenset[str]:
    """The filters that a measure takes and passes over: residents of a place are no women or guards."""
    entry = entries()["metric"][name]
    return frozenset((*entry.get("ignores", ()), *(tables()[entry["table"]].ignores if "table" in entry else ())))


def _when(view: PageContext, answer: Answer | None) -> str:
    """The period of a number, or its day where the words name one or it is not the latest."""
    if answer is None:
        return ""
    if answer.over:
        return text.period(*answer.over, view.lang)
    is_said = answer.on and (view.scope.period or answer.on != view.latest)
    return text.day(answer.on, view.lang) if is_said and answer.on else ""


def _page_of(name: str, where: Mapping[str, Sequence[str]]) -> tuple[str, dict[str, list[str]]]:
    """The page that shows a measure under these filters: that of its topic, or Explore where people are filtered."""
    group = catalogue()[name].group
    part = _SHOWN_ON.get(name) or _PAGES.get(group, group)
    parts = {one for entry in navigation.menu() for one in navigation.parts(entry)}
    if part in parts and {*where} <= {"province"}:
        return part, {}
    return "explore", {"m": [name], "by": ["month"]}


def _about(view: PageContext, part: str, ignored: Sequence[str] = (), left_out: Collection[str] = ()) -> str:
    """The page, the filters without effect there, and the provinces left out for lack of rights."""
    page = view.word("find.page", page=navigation.part_words(part)[view.lang])
    no_effect = wording.no_effect(view, ignored) if ignored else ""
    return " · ".join(filter(None, (page, no_effect, member_names.left_out(left_out, view.lang))))


def _address(part: str, view: PageContext, parameters: Mapping[str, Sequence[str]]) -> str:
    return "/" + page_parameters.address(part, view.lang, parameters).removeprefix("./")


# ---------------------------------------------------------------- what has a name


def _listed(view: PageContext, read: Reading, institutes: Sequence[Meaning]) -> list[Result]:
    """A line for each thing that is named, kind by kind."""
    guesses = {one for part in read.understood if part.is_guess for one in part.meanings}
    by_kind: dict[str, list[Result]] = {kind: [] for kind in words.KINDS}
    for meaning in read.all(*words.KINDS):
        if not (result := _MAKE[meaning.kind](view, meaning)):
            continue
        if meaning in guesses:
            result = replace(result, about=view.word("find.perhaps", about=result.about))
        by_kind[meaning.kind].append(result)
    by_kind["institute"] += [_institute(view, meaning) for meaning in institutes]
    return [result for kind in words.KINDS for result in by_kind[kind][:_MOST_OF_KIND]]


def _page(view: PageContext, meaning: Meaning) -> Result:
    about = navigation.part_words(meaning.code)["question"][view.lang]
    provinces = view.where.get("province", ())
    is_of_two = meaning.code == "compare" and len(provinces) == 2
    sides = {"p": [provinces[0]], "q": [provinces[1]]} if is_of_two else {}
    chosen = (_of(view, ()) if is_of_two else view).scope.address() | sides
    return Result("page", meaning.name, about, _address(meaning.code, view, chosen))


def _part(view: PageContext, meaning: Meaning) -> Result:
    """A part of a page that has a name of its own: the map, the projection."""
    part, own = words.PARTS[meaning.code]
    chosen = view.scope.address() | {name: list(values) for name, values in own.items()}
    return Result("page", meaning.name, _about(view, part), _address(part, view, chosen))


def _province(view: PageContext, meaning: Meaning) -> Result:
    address = "/" + page_parameters.profile(meaning.code, view.lang, view.scope.address()).removeprefix("./")
    return Result("place", meaning.name, view.word("dimension.province"), address)


def _county(view: PageContext, meaning: Meaning) -> Result:
    about = view.word("find.county_of", province=words.parents(view.lang)[meaning.code])
    where = {"province": [words.province_of(meaning.code)], "county": [meaning.code]}
    return Result("place", meaning.name, about, _address("overview", view, where))


def _institute(view: PageContext, meaning: Meaning) -> Result:
    address = _address("register", view, {"institute": [meaning.code]})
    return Result("institute", meaning.name, text.digits(meaning.code, view.lang), address)


def _measure_line(view: PageContext, meaning: Meaning) -> Result | None:
    """The measure in Explore; None where it is not asked for there."""
    if catalogue()[meaning.code].hidden:
        return None
    about = catalogue()[meaning.code].description[view.lang]
    known = {name: codes for name, codes in view.where.items() if name in catalogue()[meaning.code].dimensions}
    chosen = view.scope.address() | {"m": [meaning.code]}
    chosen = {name: values for name, values in chosen.items() if name not in view.where or name in known}
    return Result("measure", meaning.name, about, _address("explore", view, chosen))


def _list(view: PageContext, meaning: Meaning) -> Result:
    part = LISTS[meaning.code]
    chosen = view.scope.address() | {"open": [meaning.code]}
    place = page_context.place(view, view.where) if view.where else ""
    title = " · ".join(filter(None, (meaning.name, place)))
    return Result("list", title, _about(view, part), _address(part, view, chosen))


def _view(view: PageContext, meaning: Meaning) -> Result | None:
    """The saved view; None if it has been deleted."""
    shelf = saved_views.shelf()
    views = {words.code_of(one): one for one in (*shelf.views, *shelf.shared)}
    if not (saved := views.get(meaning.code)):
        return None
    # Several people of a team may have a view of one name.
    by_owner = (view.word("find.team_view"), view.word("views.by", who=text.isolated(saved.owner, view.lang)))
    about = view.word("find.view") if saved in shelf.views else " · ".join(by_owner)
    return Result("view", meaning.name, about, _address(saved.page, view, saved.parameters))


def _command(view: PageContext, meaning: Meaning) -> Result:
    """A command of the page that is open; the shell carries it out."""
    return Result("command", meaning.name, view.word("find.command"), f"/#{meaning.code}")


_MAKE = {
    "page": _page,
    "part": _part,
    "province": _province,
    "county": _county,
    "institute": _institute,
    "measure": _measure_line,
    "list": _list,
    "view": _view,
    "command": _command,
}


def _institutes_named(lang: str, said: Sequence[str], institutes: Mapping[str, str]) -> list[Meaning]:
    """The institutes whose names hold all these words; the more of the name they are, the earlier."""
    if not said or any(len(word) < 2 for word in said):
        return []
    named = sorted(
        (len(name), code) for code, name in institutes.items() if all(f" {word}" in f" {name}" for word in said)
    )
    names = warehouse.names("institute", lang)
    return [Meaning("institute", code, names[code]) for _, code in named[:_MOST_OF_KIND]]


def _elsewhere(view: PageContext) -> list[Result]:
    """Where to look when nothing was found."""
    return [
        _page(view, Meaning("page", part, navigation.part_words(part)[view.lang])) for part in ("explore", "methods")
    ]
