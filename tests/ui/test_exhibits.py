"""Rules of every exhibit, over scopes, languages and rights. No page is opened, and a new exhibit is tested on its first day.

Each is made with the Ask of a cursor, and again with the one that rounds.
"""

import csv
import io
import json
import os
import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any, cast

import openpyxl
import pytest

from etl.analysis import detail
from etl.core.errors import AccessDenied, QuestionError
from etl.semantic import answers, disclosure, units
from etl.semantic.access import cursor_for
from etl.semantic.answers import Answer
from etl.semantic.catalog import DIMENSIONS, catalogue, described
from etl.semantic.exportable import StoredRows
from etl.semantic.open_totals import is_open
from etl.semantic.rights import ADMINISTRATOR, AccessScope, Grant
from etl.warehouse import publications
from etl.warehouse.dimensions import FILTERS
from tests.conftest import ROOT
from tests.effort import draws, thorough
from tests.made import counts_people, named
from tests.ui.test_chart_lint import Shown, names_its_measure, names_no_small_group, says_its_n
from tests.ui.test_page_workbook import cells, written
from ui.charts import titles
from ui.charts.lines import TIME_AXES
from ui.components import page_files
from ui.data import page_run, warehouse
from ui.data.ask import Ask, Kept, On, Question, Rounded, frozen
from ui.exhibits import cards, register
from ui.exhibits.exhibit import Actions, Card, Drawing, Exhibit, Rows, Sentence, Value
from ui.exports import page_workbook
from ui.exports.file_content import is_for_circulation
from ui.exports.job import ExportJob
from ui.exports.page_workbook import PageJob
from ui.i18n import member_names, text
from ui.state.given import Wrong
from ui.state.page_context import PageContext
from ui.state.scope import Scope

pytestmark = pytest.mark.slow

NAMES = (ROOT / "tests" / "ui" / "exhibits.txt").read_text("utf-8").split()
SCOPES: dict[str, dict[str, list[str]]] = {
    "nation": {},
    "province": {"province": ["IR-23"]},
    "provinces": {"province": ["IR-10", "IR-23"]},
    "women": {"gender": ["female"]},
    "post": {"province": ["IR-10"], "post": ["guard"]},
    "past": {"on": ["2025-09-22"]},
    "period": {"period": ["12"]},
}
PEOPLE = {
    "national": ADMINISTRATOR,
    "isfahan": AccessScope("i", frozenset({Grant("province", frozenset({"IR-10"}), False, True)})),
}


@pytest.fixture(scope="module")
def asks(small_register: Path) -> Iterator[dict[str, Ask]]:
    """The Ask of each person. A question is asked once for all tests."""
    with publications.connect(small_register) as con, ExitStack() as cursors:
        yield {person: Kept(On(cursors.enter_context(cursor_for(con, scope)))) for person, scope in PEOPLE.items()}
    exhibits.cache_clear()


@contextmanager
def asking(asks: dict[str, Ask], person: str) -> Iterator[Ask]:
    """What a component asks goes to the same publication, with the same rights."""
    ask = asks[person]
    with page_run.acting_as(PEOPLE[person]), page_run.reading(str(publications.current(Path(os.environ["WAREHOUSE"])))):
        yield ask


def scoped(query: dict[str, list[str]], lang: str, ask: Ask) -> Scope:
    known = {name: member_names.fixed(name, "fa") for name in FILTERS if name not in ("institute", "course")}
    scope = Scope.from_query(query | {"lang": [lang]}, ask.publication.as_of, lambda name: known.get(name, {}))
    assert {name for name in query if name in FILTERS} == {*scope.where}, "the scope is the one that was meant"
    return scope


@cache
def exhibits(scope: Scope, ask: Ask) -> dict[str, Exhibit]:
    """Those of a cursor, made once for all tests, which only read them."""
    return made(scope, ask)


def made(scope: Scope, ask: Ask) -> dict[str, Exhibit]:
    """Every exhibit by its address; what is refused is not there."""
    found = {}
    for address in register.exhibits():
        try:
            found[address] = named(address, scope).exhibit(ask)
        except (AccessDenied, QuestionError, Wrong):
            continue
    return found


def file_of(exhibit: Exhibit, form: str) -> bytes:
    assert exhibit.answer is not None
    out, is_rounded = io.BytesIO(), is_for_circulation(exhibit.answer)
    job = ExportJob(form, exhibit.answer, exhibit.context(), is_rounded, "x", exhibit.limit, exhibit.no_effect)
    job.write(out)
    return out.getvalue()


def as_text(value: Any) -> str:
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


@pytest.fixture(autouse=True)
def published(small_register: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAREHOUSE", str(small_register))


def test_the_names_of_exhibits_are_public() -> None:
    """Programs of others hold them: who renames one adds the old name to `_RENAMED`, who adds one adds it to the list."""
    assert sorted(register.exhibits()) == NAMES
    assert {*register._RENAMED.values()} <= {*NAMES}


# No writer knows whose rows they are, or under which filters.
@pytest.mark.parametrize(
    ("of", "person"),
    [
        *((of, "national") for of in ("nation", "post")),
        ("provinces", "isfahan"),
        *(
            pytest.param(of, person, marks=thorough)
            for of, person in [
                *((of, "national") for of in SCOPES if of not in ("nation", "post")),
                ("nation", "isfahan"),
            ]
        ),
    ],
)
def test_table_csv_xlsx_and_json_have_the_same_rows(of: str, person: str, asks: dict[str, Ask]) -> None:
    with asking(asks, person) as ask:
        scope = scoped(SCOPES[of], "en", ask)
        for way in (ask, Rounded(ask)) if person == "national" else (ask,):
            found = exhibits(scope, way)
            assert found
            for at, (address, exhibit) in enumerate(found.items()):
                if exhibit.answer is None:
                    assert exhibit.said("en"), address
                    continue
                # A workbook takes ten times as long as a CSV file of the same rows: of every third exhibit, exact or rounded.
                is_turn = at % draws(3, 1) == 0
                has_workbook = is_turn and (of, person, at % 2 == 0) == ("nation", "national", way is ask)
                records = exhibit.answer.records()
                rows = list(csv.DictReader(io.StringIO(file_of(exhibit, "csv").decode("utf-8-sig"))))
                told = json.loads(file_of(exhibit, "json"))
                assert len(rows) == len(told) == len(records), address
                if has_workbook:
                    sheet = openpyxl.load_workbook(io.BytesIO(file_of(exhibit, "xlsx")), read_only=True).worksheets[0]
                    # A sheet has a row of the whole too, where the rows have one.
                    assert sheet.max_row - 1 in (len(records), len(records) + 1), address
                for record, row, one in zip(records, rows, told, strict=True):
                    for name, value in record.items():
                        # Text that begins like a formula is guarded.
                        written, at = row[name].lstrip("'"), (address, name)
                        assert written == as_text(value).lstrip("'") or float(written) == float(value), at
                        assert as_text(one[name]) == as_text(value) or one[name] == pytest.approx(value), at


@pytest.mark.parametrize(
    ("of", "lang"),
    [
        *((of, "en") for of in SCOPES),
        *(pytest.param(of, "fa", marks=() if of in ("nation", "women", "period") else thorough) for of in SCOPES),
    ],
)
def test_no_filter_is_dropped_in_silence_and_a_picture_is_heard(of: str, lang: str, asks: dict[str, Ask]) -> None:
    with asking(asks, "national") as ask:
        scope = scoped(SCOPES[of], lang, ask)
        for address, exhibit in exhibits(scope, ask).items():
            if not isinstance(exhibit.form, Drawing | Value) or exhibit.answer is None:
                continue
            is_drawn = isinstance(exhibit.form, Drawing)
            assert not is_drawn or exhibit.title.sentence in exhibit.drawn()[1], address
            notes = [*exhibit.own_notes, *exhibit.notes]
            for name in scope.where:
                is_said = any(text.word(f"scope.{name}", lang) in note for note in notes)
                is_outlined = is_drawn and name == "province" and exhibit.form.chart.whole_country
                # The sides of a comparison are places of their own.
                is_side = name == "province" and address.startswith("compare/")
                assert name in exhibit.answer.where or is_said or is_outlined or is_side, (address, name)


MEMBERS = {
    "province": "IR-23", "county": "2301", "institute": "", "activity": "guarding", "gender": "female",
    "education": "diploma", "post": "guard", "course": "",
}  # fmt: skip


@pytest.mark.parametrize("name", FILTERS)
def test_a_filter_has_its_effect_on_a_file_or_the_file_says_that_it_has_none(name: str, asks: dict[str, Ask]) -> None:
    """Of every exhibit and every card: one without the filter among those of its answer is the one without the filter."""
    with asking(asks, "national") as ask:
        code = MEMBERS[name] or min(filter(None, ask.look_up(detail.member_names, name)["en"]))
        everybody = Scope(ask.publication.as_of, lang="en")
        scope = everybody.of({name: (code,)})
        without, label = exhibits(everybody, ask), text.word(f"scope.{name}", "en")
        for address, exhibit in made(scope, ask).items():
            if exhibit.answer is None or not exhibit.answer.rows:
                continue
            (first, *_) = csv.DictReader(io.StringIO(file_of(exhibit, "csv").decode("utf-8-sig")))
            is_said = f"“{label}” has no effect" in first.get("about", "")
            is_side = name == "province" and address.startswith("compare/")
            assert is_said != (name in exhibit.answer.where or is_side), address
            if is_said and ":" not in exhibit.no_effect:
                assert exhibit.answer.rows == without[address].answer.rows, address  # type: ignore[union-attr]


@pytest.mark.parametrize("of", ["nation", "province", "women"])
def test_the_parts_of_a_rate_lie_on_both_sides_of_it_or_it_says_why(of: str, asks: dict[str, Ask]) -> None:
    """Where all are better than the whole, it is not of them: "over 91 % in each course" beside 84.4 % of the people."""
    with asking(asks, "national") as ask:
        rates = 0
        for address, exhibit in exhibits(scoped(SCOPES[of], "en", ask), ask).items():
            answer = exhibit.answer
            if answer is None or len(answer.by) != 1 or {*answer.by} & {*TIME_AXES}:
                continue
            name = answer.metrics[0].name
            values = [value for value in answer.column(name) if value is not None]
            if len(values) < 2 or name not in catalogue() or not catalogue()[name].denominator:
                continue
            asked = Question((name,), on=answer.on, over=answer.over, filters=frozen(answer.where))
            is_made_of_them = min(values) <= ask(asked).value() <= max(values)
            assert is_made_of_them or text.word("figure.of_course", "en") in exhibit.notes, address
            rates += 1
        assert rates > 3


@pytest.mark.parametrize("of", SCOPES)
def test_under_a_filter_of_people_no_list_of_actions_stands(of: str, asks: dict[str, Ask]) -> None:
    """What is done about provinces, institutes and licences has no part of women."""
    with asking(asks, "national") as ask:
        form = exhibits(scoped(SCOPES[of], "en", ask), ask)["overview/needs_action"].form
        assert isinstance(form, Actions)
        said = [name for name in ("gender", "post") if name in SCOPES[of]]
        assert bool(form.items) == (not said)
        assert all(text.word(f"scope.{name}", "en") in form.none for name in said)


def test_an_exhibit_is_of_the_day_that_was_chosen(asks: dict[str, Ask]) -> None:
    """Under each day its numbers end as long before that day: on it, or for what is still provisional some months earlier."""
    with asking(asks, "national") as ask:
        lags = []
        for of in ("nation", "past"):
            scope = scoped(SCOPES[of], "en", ask)
            ends = {
                address: exhibit.answer.over[1] if exhibit.answer.over else exhibit.answer.on
                for address, exhibit in exhibits(scope, ask).items()
                if exhibit.answer is not None and (exhibit.answer.over or exhibit.answer.on)
            }
            lags.append({address: (scope.day - end).days for address, end in ends.items()})
        now, then = lags
        assert now.keys() == then.keys()
        # Where a complete month counts, the day lies up to a month behind its end.
        assert {address for address, lag in then.items() if lag < 0 or abs(lag - now[address]) > 31} == set()
        assert max(now.values()) < 120


def test_an_exhibit_is_of_the_period_that_was_chosen(asks: dict[str, Ask]) -> None:
    """Of the whole period; the funnel of applications leaves out its last 60 days, which are still under way."""
    with asking(asks, "national") as ask:
        scope = scoped(SCOPES["period"], "en", ask)
        assert scope.over
        over = {
            address: exhibit.answer.over
            for address, exhibit in exhibits(scope, ask).items()
            if exhibit.answer and exhibit.answer.over and named(address, scope).scope.over
        }
        ended_earlier = {address for address, days in over.items() if days != scope.over}
        assert {over[address][0] for address in ended_earlier} == {scope.over[0]}
        assert ended_earlier == {"licensing/funnel"}
        assert len(over) > 10


# Letters of the other language. Of names, which are isolated, there are some, and of abbreviations of a letter.
OTHER_LETTERS = {"fa": re.compile("[A-Za-z]{2,}"), "en": re.compile("[\u0600-\u06ff]")}
STAYS_LATIN = re.compile(r"OpenStreetMap contributors|SAMPLE\.txt")


def words_of(exhibit: Exhibit) -> list[str]:
    """Every sentence of an exhibit."""
    form, found = (
        exhibit.form,
        [exhibit.title.sentence, exhibit.below, exhibit.intro, *exhibit.own_notes, *exhibit.notes],
    )
    if isinstance(form, Drawing):
        found += [exhibit.drawn()[1], *exhibit.all_notes()[1]]
    elif isinstance(form, Card):
        found += [form.value, form.unit, *("".join(span.words for span in line) for line in form.lines)]
    elif isinstance(form, Sentence):
        found += exhibit.sentences
    elif isinstance(form, Actions):
        found += [words for item in (*form.items, *form.others) for words in (item.sentence, item.about)]
    elif isinstance(form, Rows):
        found += [*form.heads, *(cell for row in form.rows for cell in row)]
    return [*filter(None, found)]


@pytest.mark.parametrize("lang", text.LANGUAGES)
@pytest.mark.parametrize("of", ["nation", "women", "period"])
def test_an_exhibit_speaks_one_language(of: str, lang: str, asks: dict[str, Ask]) -> None:
    with asking(asks, "national") as ask:
        for way in (ask, Rounded(ask)):
            for address, exhibit in exhibits(scoped(SCOPES[of], lang, ask), way).items():
                for words in words_of(exhibit):
                    own = STAYS_LATIN.sub("", re.sub("\u2068[^\u2069]*\u2069", "", words))
                    assert not OTHER_LETTERS[lang].search(own), (address, words)


@pytest.mark.parametrize("of", ["province", "post"])
def test_of_a_single_group_there_is_its_value_and_no_comparison(of: str, asks: dict[str, Ask]) -> None:
    with asking(asks, "national") as ask:
        singles = 0
        for address, exhibit in exhibits(scoped(SCOPES[of], "en", ask), ask).items():
            answer, form = exhibit.answer, exhibit.form
            if answer is None or len(answer.by) != 1 or answer.by[0] in TIME_AXES:
                singles += isinstance(form, Drawing) and exhibit.stands_in
                continue
            assert not isinstance(form, Drawing) or not form.chart.compares or len(answer.rows) > 1, address
        assert singles


@pytest.mark.parametrize(
    ("of", "lang"),
    [("nation", "en"), ("nation", "fa"), ("province", "en"), pytest.param("province", "fa", marks=thorough)],
)
def test_a_title_names_its_measure_and_the_line_below_its_n(of: str, lang: str, asks: dict[str, Ask]) -> None:
    with asking(asks, "national") as ask:
        for address, exhibit in exhibits(scoped(SCOPES[of], lang, ask), ask).items():
            if isinstance(exhibit.form, Drawing) and exhibit.answer is not None:
                shown = Shown(exhibit.answer, exhibit.title, exhibit.form.chart, exhibit.below)
                assert len(exhibit.title.sentence.split()) <= titles.MOST_WORDS, address
                assert names_its_measure(shown, lang), (address, exhibit.title)
                assert says_its_n(shown, exhibit.context()), (address, exhibit.below)
                assert names_no_small_group(shown, exhibit.context()), (address, exhibit.title)


@pytest.mark.parametrize("of", ["nation", "province", "provinces"])
def test_no_two_exhibits_of_a_page_have_one_title_and_line(of: str, asks: dict[str, Ask]) -> None:
    with asking(asks, "national") as ask:
        heads = Counter(
            (address.partition("/")[0], exhibit.title.sentence, exhibit.below)
            for address, exhibit in exhibits(scoped(SCOPES[of], "en", ask), ask).items()
            # Of several trends in one place of a page the first is shown.
            if exhibit.title.sentence and not exhibit.stands_in
        )
        assert [head for head, count in heads.items() if count > 1] == []


@pytest.mark.parametrize(
    "of", [pytest.param(of, marks=thorough if of in ("provinces", "past") else ()) for of in SCOPES]
)
def test_what_circulates_is_what_its_published_counts_say(of: str, asks: dict[str, Ask]) -> None:
    """Read back: counts of people are multiples of five, ratios are those of the counts beside them, words say no others."""
    with asking(asks, "national") as ask:
        told = 0
        for address, exhibit in exhibits(scoped(SCOPES[of], "en", ask), Rounded(ask)).items():
            answer = exhibit.answer
            if answer is None:
                continue
            assert isinstance(answer, disclosure.Circulated), address
            assert not exhibit.cases, "the exact number of cases never circulates"
            differences = set()
            for record, metric in product(answer.records(), answer.metrics):
                value = record.get(metric.name)
                if value is None or "sureness" in record or metric.counts not in ("persons", "hours"):
                    continue
                if metric.is_difference or (metric.sql and metric.name not in catalogue()):
                    differences.add(abs(value))
                else:
                    assert value % (disclosure.STEP * metric.most_per_person) == 0, (address, metric.name)
            for record, metric in product(answer.records(), answer.metrics):
                parts = [record.get(str(name)) for name in (metric.numerator, metric.denominator)]
                people = [known for name in (metric.numerator, metric.denominator) if (known := described(str(name)))]
                if (
                    record.get(metric.name) is None
                    or None in parts
                    or not any(one.counts == "persons" for one in people)
                ):
                    continue
                told += 1
                precision = 0.026 if isinstance(record[metric.name], units.Nearest) else 0.0051
                if metric.unit == "share":
                    assert abs(record[metric.name] - parts[0] / parts[1]) < precision, (address, record)
            said = " ".join(words_of(exhibit))
            # Licences, applications and counties are open facts.
            if any(map(counts_people, answer.metrics)) and not address.startswith("licensing/"):
                assert not re.findall(r"[0-9]\.[0-9]+%", said), (address, said)
            counts = re.findall(r"(?<!under )(?<!than )\b([0-9][0-9,]*) (?:people|recruits)(?! or more)", said)
            numbers = {int(count.replace(",", "")) for count in counts} - differences
            assert not [number for number in numbers if number % disclosure.STEP], (address, said)
        assert told > 20


@dataclass(frozen=True)
class AsPublished:
    """An Ask whose answers have published counts before anything is decided on them."""

    ask: Ask

    def __call__(self, question: Question) -> Answer:
        answer = self.ask(question)
        # The sides of provinces are open totals; what ends is of people or not by its kind.
        tells_of_provinces = question.analysis in ("different", "differs", "glance") and is_open(
            answer.by, answer.where
        )
        return answer if tells_of_provinces or question.analysis == "endings" else self.shown(answer)

    def stored(self, question: Question) -> Answer | StoredRows:
        answer = self.ask.stored(question)
        return self.shown(answer) if isinstance(answer, Answer) else answer

    def each(self, question: Question) -> dict[str, Answer]:
        return {name: self.shown(answer) for name, answer in self.ask.each(question).items()}

    @property
    def exactly(self) -> "AsPublished":
        return self

    def shown(self, answer: Answer) -> Answer:
        # What officials say of others stands as they say it.
        return answer if "sureness" in answer.columns else disclosure.with_published_counts(answer)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.ask, name)


@pytest.mark.parametrize(
    "of", [pytest.param(of, marks=() if of in ("nation", "province", "women") else thorough) for of in SCOPES]
)
def test_nothing_that_circulates_depends_on_an_exact_count(of: str, asks: dict[str, Ask]) -> None:
    """Of two registers with the same published counts all files are the same: rows, words, notes, and what is shown at all."""
    with asking(asks, "national") as ask:
        scope = scoped(SCOPES[of], "en", ask)
        circulated, again = exhibits(scope, Rounded(ask)), made(scope, Rounded(cast(Ask, AsPublished(ask))))
        assert circulated.keys() == again.keys()
        for address, exhibit in circulated.items():
            assert told(exhibit) == told(again[address]), address


def told(exhibit: Exhibit) -> tuple[Any, ...]:
    answer = exhibit.answer
    rows, hidden = ([*map(tuple, answer.rows)], answer.hidden) if answer else ([], frozenset())
    return words_of(exhibit), rows, hidden, type(exhibit.form)


@pytest.mark.parametrize("of", ["nation", "province", "women"])
def test_the_order_of_what_circulates_follows_from_what_it_shows(of: str, asks: dict[str, Ask]) -> None:
    """Places stand by their codes, or by a column of the file and then by their codes: no order tells n from n + 1."""
    with asking(asks, "national") as ask:
        lists = 0
        for address, exhibit in exhibits(scoped(SCOPES[of], "en", ask), Rounded(ask)).items():
            answer = exhibit.answer
            if answer is None or not {*answer.by} & {"province", "county", "institute"} or {*answer.by} & {*TIME_AXES}:
                continue
            lists += 1
            assert [*map(tuple, answer.rows)] in orders(answer), address
        assert lists > 5


def orders(answer: Answer) -> Iterator[list[tuple[Any, ...]]]:
    """The rows by their codes, and by each number or day of the file and then by their codes; sides stand together."""
    first = len(answer.by)
    by_code = sorted(answer.rows, key=lambda row: [(member is None, str(member)) for member in row[:first]])
    yield by_code
    side = answer.columns.index("side") if "side" in answer.columns else None
    sides = list(dict.fromkeys(row[side] for row in answer.rows)) if side is not None else []
    for at, sign in product(range(len(answer.columns)), (1, -1)):

        def order(row: tuple[Any, ...], at: int = at, sign: int = sign) -> tuple[int, float]:
            value = row[at].toordinal() if isinstance(row[at], date) else row[at]
            if side is None:
                return 0, sign * value if isinstance(value, (int, float)) else 10**9
            is_better = row[side] in ("higher", "far_higher")
            return sides.index(row[side]), (-sign if is_better else sign) * value if isinstance(
                value, (int, float)
            ) else 0

        yield sorted(by_code, key=order)


def test_a_title_says_no_number_that_does_not_circulate(asks: dict[str, Ask]) -> None:
    with asking(asks, "national") as ask:
        for lang in text.LANGUAGES:
            scope = scoped({}, lang, ask)
            titles_of = [exhibits(scope, way)["growth/recruits"].title.sentence for way in (ask, Rounded(ask))]
            assert text.word("ahead.recruits", lang) == titles_of[1] != titles_of[0]
            circulated = exhibits(scope, Rounded(ask)).items()
            assert [name for name, one in circulated if re.search(r"(^|\s)–(\s|$)", one.title.sentence)] == []


@pytest.mark.parametrize("of", ["nation", "province", "provinces"])
def test_a_person_of_a_province_sees_own_rows_and_open_totals(of: str, asks: dict[str, Ask]) -> None:
    with asking(asks, "isfahan") as ask:
        for address, exhibit in exhibits(scoped(SCOPES[of], "en", ask), ask).items():
            answer = exhibit.answer
            if answer is None:
                continue
            answers.check(ask.rights, answer)
            if "origin" in answer.by:
                # A move belongs to both of its provinces.
                assert all({*row[:2]} & {*ask.rights.codes, None} for row in answer.rows), address
            elif "province" in answer.by:
                foreign = {*answer.column("province")} - ask.rights.codes - {None}
                # What is no dimension of people, as a rule or a rank, parts nobody.
                parted = [name for name in answer.by if name in DIMENSIONS]
                assert not foreign or is_open(parted, answer.where), address


def test_an_exhibit_on_screen_is_that_of_a_cursor(asks: dict[str, Ask]) -> None:
    """The cache of pages gives what a cursor gives, and keeps people apart."""
    subtitles: dict[str, list[tuple[Any, ...]]] = {}
    for person in PEOPLE:
        with asking(asks, person) as ask:
            scope = scoped({}, "en", ask)
            on_screen, alone = made(scope, warehouse.of_page()), exhibits(scope, ask)
            assert {*on_screen} == {*alone}
            for address, exhibit in alone.items():
                rows = [one.answer and one.answer.rows for one in (exhibit, on_screen[address])]
                assert rows[0] == rows[1], address
                assert exhibit.title == on_screen[address].title, address
            subtitles[person] = [(address, exhibit.subtitle) for address, exhibit in alone.items()]
    assert subtitles["national"] != subtitles["isfahan"], "another person sees other places"


@pytest.mark.parametrize("way", [lambda ask: ask, Rounded], ids=["exact", "rounded"])
def test_what_is_not_settled_on_any_day_is_unknown_in_every_file(
    way: Callable[[Ask], Ask], asks: dict[str, Ask]
) -> None:
    with asking(asks, "national") as ask:
        begins = ask.look_up(detail.begins_on)
        assert begins
        scope = scoped({"on": [(begins + timedelta(40)).isoformat()]}, "en", ask)
        (card,) = cards.cards(scope, way(ask), "leaver_rate_12m")
        assert card.answer is not None
        assert (card.form.value, card.answer.value()) == ("–", None)
        (told,) = json.loads(file_of(card, "json"))
        assert told["leaver_rate_12m"] is None
        context = PageContext(scope)
        job = PageJob(
            "Page", "Iran", "me", (page_workbook.Card.of(card),), (), page_files.context(context), way is Rounded
        )
        _, row = cells(written(job).worksheets[2])
        assert (row[1], row[-1]) == ("[x]", "x")


@pytest.mark.parametrize("person", PEOPLE)
def test_the_load_is_counted_as_far_as_a_person_sees_it(person: str, asks: dict[str, Ask]) -> None:
    """The nation's counts are those of the publication; a province's title counts the rows and files of its own."""
    with asking(asks, person) as ask:
        found = exhibits(scoped({}, "en", ask), ask)
        files, reasons = found["quality/files"], found["quality/reasons"]
        assert files.answer is not None
        counts = sum(files.answer.column("rows_quarantined")), len({*files.answer.column("file")})
        assert f"{counts[0]:,}" in reasons.title.sentence
        assert f"{counts[1]:,}" in files.title.sentence
        published = ask.publication.rows_quarantined, ask.publication.files
        assert (counts == published) == (person == "national"), "the one sees all, the other a part"
