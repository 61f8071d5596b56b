"""The pages of submissions: what a clerk and a steward see in each state, in both languages."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from datetime import date
from functools import partial
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

import dashboard  # Outside of a run it is the server, inside it would be a page
from etl.core import settings
from etl.extract.causes import in_language, words
from etl.extract.contract import TABLES
from etl.extract.source_folder import HANDED_IN
from etl.semantic.catalog import catalogue
from etl.semantic.rights import every_province
from etl.submissions import deadline
from etl.submissions.records import Submission
from tests.effort import draws
from tests.parts import html, opened
from tests.submissions.conftest import FARS, LAST, Office, person, province_files, with_rows
from tests.submissions.test_way import PERSONNEL, in_service, more_people
from ui.data import submissions
from ui.i18n import member_names, text

pytestmark = pytest.mark.slow
# The English page has the same parts, of words that tests/ui/test_text.py compares.
LANGUAGES = text.LANGUAGES[: draws(1, 2)]


@pytest.fixture
def alone(office: Office, monkeypatch: pytest.MonkeyPatch) -> Office:
    """The one person of this machine."""
    office.settings = replace(office.settings, sign_in=settings.SignIn())
    monkeypatch.setenv("WAREHOUSE", str(office.settings.folders.warehouse))
    monkeypatch.setattr(submissions, "_settings", lambda: office.settings)
    monkeypatch.setattr(submissions, "_work", lambda *_: None)
    return office


def button(app: Any, key: str) -> Any:
    return next(one for one in app.button if one.key == key)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_clerk_sees_what_is_due_what_came_back_and_the_receipt(alone, lang):
    before = opened("handin", of="IR-07", lang=lang)
    assert text.word("hand_in.nothing_yet", lang) in html(before)
    assert not alone.settings.folders.submissions.exists(), "who only looks creates nothing"
    checked = alone.hand_in(submissions.person(), "IR-07", more_people())
    page = opened("handin", of="IR-07", lang=lang)
    shown = html(page)
    for key in ("hand_in.returned", "hand_in.changes", "submission.ready"):
        assert text.word(key, lang) in shown, key
    assert text.number(32, lang) in shown
    button(page, "hand-in-submit").click().run()
    assert not page.exception
    assert text.escape(text.word("hand_in.receipt", lang, id=checked.id)) in html(page)
    assert alone.desk.records.get(checked.id).state == "submitted"


def test_the_menu_says_how_many_wait_and_again_after_each_step(alone, monkeypatch):
    one = alone.hand_in(submissions.person(), "IR-07", more_people())
    page = opened("handin", of="IR-07")
    assert page.session_state["submissions waiting"] == 1
    button(page, "hand-in-withdraw").click().run()
    assert alone.desk.records.get(one.id).state == "withdrawn"
    assert page.session_state["submissions waiting"] == 0
    monkeypatch.setattr("streamlit.Page", lambda _, **told: told)
    titles = [told for group in dashboard.menu("fa", 1).values() for told in group if "۱" in told["title"]]
    assert [told["url_path"] for told in titles] == ["quality"]


@pytest.mark.parametrize("address", [{}, {"province": "IR-07"}, {"of": "IR-99"}])
def test_who_has_several_provinces_chooses_one_before_anything_is_handed_in(alone, address):
    page = opened("handin", **address)
    assert text.word("hand_in.whose", "fa") in html(page)
    assert text.word("hand_in.nothing_yet", "fa") not in html(page)
    assert not [one for one in page.button if one.key.startswith("unchanged-")]
    box = next(one for one in page.selectbox if one.key == "hand-in-province")
    assert box.value is None
    page = box.select("IR-10").run()
    assert text.word("hand_in.nothing_yet", "fa") in html(page)
    button(page, "unchanged-training").click().run()
    assert [one.province for one in alone.desk.records.all()] == ["IR-10"]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_who_hands_in_for_a_province_is_told_so_before_and_after(alone, monkeypatch, lang):
    alone.only_rows = True
    told, before = (text.word(f"hand_in.{key}", lang) for key in ("for_province", "stands_in"))
    for who, is_own in ((alone.clerk, True), (alone.steward, False)):
        monkeypatch.setattr(submissions, "reader", lambda who=who: who)
        assert (before in html(opened("handin", of="IR-07", lang=lang))) is not is_own
        checked = alone.hand_in(who, "IR-07", more_people())
        alone.desk.submit(who, checked.id)
        # The state, the receipt, and where it is decided.
        assert html(opened("handin", of="IR-07", lang=lang)).count(told) == (0 if is_own else 3)
        alone.desk.withdraw(who, checked.id)


def test_what_came_back_before_and_what_is_left_is_said(alone):
    alone.only_rows = True
    content = province_files(FARS)[PERSONNEL]

    def faulty(count: int) -> str:
        return with_rows(
            content,
            "personnel",
            *(person(171_000 + at, "IR-07", "100", birth_date="1499/01/01") for at in range(count)),
        )

    def shown() -> str:
        alone.work()
        return html(opened("handin", of="IR-07"))

    def told(name: str, **numbers: str) -> str:
        return text.word(f"hand_in.{name}", "fa", **numbers)

    checked = alone.hand_in(submissions.person(), "IR-07", {PERSONNEL: faulty(5)})
    before = told("before_and_now", before="۵", count="۲")
    page = shown()
    assert told("left", count="۵") in page
    assert "در بررسی قبلی" not in page
    alone.give(submissions.person(), checked.id, 1, PERSONNEL, faulty(2))
    page = shown()
    assert (before in page, told("left", count="۲") in page) == (True, True)
    # Another table says nothing of this one.
    alone.give(submissions.person(), checked.id, 2, "training_IR-07.csv", province_files(FARS)["training_IR-07.csv"])
    assert "در بررسی قبلی" not in shown()
    alone.give(submissions.person(), checked.id, 1, PERSONNEL, content)
    page = shown()
    assert told("before_and_none", before="۲") in page
    assert told("left", count="۰") not in page


@pytest.mark.parametrize(
    ("heading", "written"),
    [
        (
            "شهرستان محل خدمت",
            {"fa": "شهرستان (در فایل: شهرستان محل خدمت)", "en": "County (in the file: شهرستان محل خدمت)"},
        ),
        ("شهرستان", {"fa": "شهرستان", "en": "County (in the file: شهرستان)"}),
        ("county", {"fa": "شهرستان (در فایل: county)", "en": "County"}),
    ],
)
def test_a_column_is_named_by_its_heading_in_the_file_too(alone, heading, written):
    alone.only_rows = True
    odd = [person(173_000 + at, "IR-07", "100", county=name) for at, name in enumerate(("ناکجا", "کاشان"))]
    first, rest = with_rows(province_files(FARS)[PERSONNEL], "personnel", *odd).split("\n", 1)
    headings = ",".join(heading if name == "county" else name for name in first.split(","))
    alone.hand_in(submissions.person(), "IR-07", {PERSONNEL: f"{headings}\n{rest}"})
    for lang, named in written.items():
        page = re.sub("[\u2066-\u2069]", "", unescape(html(opened("handin", of="IR-07", lang=lang))))
        # Two reasons, and two rows.
        assert len(re.findall(rf">{re.escape(named)}<", page)) == 4
        assert text.word("reason.county_elsewhere", lang) in page


def test_what_stops_a_file_is_shown_and_cannot_be_submitted(alone):
    checked = alone.hand_in(submissions.person(), "IR-07", {PERSONNEL: "نام\nعلی\n"})
    page = opened("handin", of="IR-07")
    assert text.word("hand_in.stops", "fa") in html(page)
    assert not [one for one in page.button if one.key == "hand-in-submit"]
    button(page, "hand-in-withdraw").click().run()
    assert alone.desk.records.get(checked.id).state == "withdrawn"


def test_what_changes_is_what_is_written_otherwise_and_nothing_where_it_is_stopped(alone):
    checked = alone.hand_in(submissions.person(), "IR-07", more_people())
    moved = [{"metric": "training_compliance", "before": 0.83341, "after": 0.83342}]

    def shown(**result: Any) -> str:
        alone.desk.records.change(
            checked.id, ("ready",), lambda one: replace(one, result={**one.result, "changes": moved} | result)
        )
        return html(opened("handin", of="IR-07"))

    page = shown()
    assert text.word("hand_in.no_changes", "fa") in page
    assert "۸۳٫۳٪" not in page
    moved[0]["after"] = 0.85
    page = shown()
    assert ("۸۳٫۳٪" in page, "۸۵٫۰٪" in page) == (True, True)
    assert text.word("hand_in.changes_are", "fa") not in shown(stops=["it is refused · پذیرفته نمی‌شود"])


def test_a_jump_is_submitted_with_its_reason_alone(alone):
    few = province_files(FARS, people=20)
    checked = alone.hand_in(
        submissions.person(), "IR-07", {name: few[name] for name in (PERSONNEL, "training_IR-07.csv")}
    )
    page = opened("handin", of="IR-07")

    def refused() -> str:
        button(page, "hand-in-submit").click().run()
        assert alone.desk.records.get(checked.id).state == "ready"
        assert html(page).count("pd-refused pd-answer") == 1
        return html(page)

    assert in_language(words("submission_unticked"), "fa") in refused()
    for box in page.checkbox:
        box.check()
    least = text.number(20, "fa")
    assert f"تغییر ناگهانی دارد: {catalogue()['active_assistants'].label['fa']}" in refused()
    assert least in html(page)
    for area in page.text_area:
        area.set_value("a contract of ten people ended in Aban")
    button(page, "hand-in-submit").click().run()
    assert text.word("hand_in.is_submitted", "fa", id=text.isolated(checked.id, "fa")) in html(page)
    assert alone.desk.records.get(checked.id).state == "submitted"


def test_a_steward_approves_and_publishes_on_the_page(alone):
    checked = alone.hand_in(submissions.person(), "IR-07", more_people())
    alone.desk.submit(submissions.person(), checked.id)
    page = opened("approve")
    assert text.word("hand_in.matrix", "fa", approved="۰", waiting="۱", missing="۳۰") in html(page)
    button(page, f"return-{checked.id}").click().run()
    assert in_language(words("submission_why"), "fa") in html(page), "a return needs a reason"
    assert alone.desk.records.get(checked.id).state == "submitted"
    button(page, f"approve-{checked.id}").click().run()
    assert alone.desk.records.get(checked.id).state == "approved"
    assert text.word("hand_in.moves_wait", "fa") in html(page)
    assert button(page, "hand-in-publish").disabled, "what moves is seen before it is published"
    alone.work()
    page.run()
    shown = html(page)
    assert text.word("hand_in.moves_wait", "fa") not in shown
    moves = shown[shown.index(text.word("hand_in.moves", "fa")) :]
    assert text.word("scope.nation", "fa") in moves
    assert [number in moves for number in ("۶۰", "۶۲", "۳٫۳", "۳۰", "۳۲", "۶٫۷")] == [True] * 6
    button(page, "hand-in-publish").click().run()
    unsolved = in_language(words("submission_unsolved"), "fa")
    assert unsolved in html(page), "thirty provinces are neither in nor left out on purpose"
    next(box for box in page.checkbox if box.key == "publish-without").check()
    button(page, "hand-in-publish").click().run()
    assert button(page, "hand-in-publish").disabled
    alone.work()
    assert in_service(alone, "IR-07") == 32
    assert text.word("hand_in.matrix", "fa", approved="۰", waiting="۰", missing="۳۱") in html(opened("approve"))
    refuse_other_than_accepted(checked)


def test_the_card_says_what_came_back_and_what_is_another_since_it_was_returned(alone):
    alone.only_rows = True
    who, why = submissions.person(), "تاریخ تولد پنج نفر را اصلاح کنید"

    def faulty(count: int) -> str:
        rows = (person(171_000 + at, "IR-07", "100", birth_date="1499/01/01") for at in range(count))
        return with_rows(province_files(FARS)[PERSONNEL], "personnel", *rows)

    def submitted(content: str) -> str:
        alone.give(who, one.id, 1, PERSONNEL, content)
        alone.work()
        alone.desk.submit(who, one.id)
        page = html(opened("approve"))
        alone.desk.give_back(who, one.id, why)
        return page

    def told(name: str, **words: str) -> str:
        return text.escape(text.word(f"hand_in.{name}", "fa", **words))

    one = alone.desk.open(who, "IR-07", LAST)
    alone.desk.declare_unchanged(who, one.id, ["licences"])
    page = submitted(faulty(5))
    assert page.index(told("waiting", count="۱")) < page.index(told("matrix", approved="۰", waiting="۱", missing="۳۰"))
    assert re.findall("دلایل برگشت[^<]*", page) == [told("came_back", reasons="تاریخ تولد: تاریخ در آینده (۵)")]
    assert told("declared", tables="مجوزها", who=text.isolated(who.sub, "fa")) in page
    assert told("was_returned") not in page
    page = submitted(faulty(2))
    returned = {
        "who": text.isolated(who.sub, "fa"),
        "day": text.day(date.today(), "fa"),
        "why": text.isolated(why, "fa"),
    }
    assert told("returned_before", **returned) in page
    counts = {"loaded_before": "۳۰", "loaded": "۳۰", "back_before": "۵", "back": "۲"}
    assert told("since_then", table="کارکنان", **counts) in page
    assert told("since_then_same") in submitted(faulty(2))


def refuse_other_than_accepted(checked: Submission) -> None:
    """The file that was accepted last stands with its day, and keeps its receipt."""
    page = html(opened("handin", of="IR-07"))
    assert f"{PERSONNEL}</bdi> · ۳۲ ردیف · {text.day(date.today(), 'fa')}" in page
    by = text.word("hand_in.by_published", "fa", who=text.isolated("administrator", "fa"), id="۰۰۰۰۰۲")
    assert f"{PERSONNEL}</bdi> · ۳۲ ردیف · {text.escape(by)}" in page, (
        "who approved the file of this month, and where it is"
    )
    assert text.word("hand_in.again", "fa") in page
    assert text.word("hand_in.nothing_yet", "fa") not in page
    receipt = text.escape(text.word("hand_in.receipt", "fa", id=text.isolated(checked.id, "fa")))
    assert receipt not in page
    (address,) = {unescape(found) for found in re.findall(r'href="([^"]*receipt=[^"]*)"', page)}
    query = {name: values for name, values in parse_qs(urlsplit(address).query).items() if name != "tab"}
    assert receipt in html(opened("handin", **query)), "what was published keeps its receipt"
    assert receipt not in html(opened("handin", **query | {"of": ["IR-10"]})), "that of another province is none"
    quality = html(opened("quality"))
    assert "pd-error" not in quality
    assert text.word("load.set_up.handed-in", "fa", file=HANDED_IN) in unescape(quality)


def test_tables_are_declared_unchanged_on_the_page(alone):
    page = opened("handin", of="IR-10")
    button(page, "unchanged-training").click().run()
    (made,) = alone.desk.records.all()
    assert (made.province, set(made.unchanged), made.state) == ("IR-10", {"training"}, "ready")
    assert text.word("arrival.no_change", "fa") in html(page)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_cell_of_the_matrix_opens_its_submission(alone, lang):
    checked = alone.hand_in(submissions.person(), "IR-07", more_people())
    alone.desk.submit(submissions.person(), checked.id)
    page = html(opened("approve", lang=lang))
    (address,) = {found for found in re.findall(r'href="([^"]*handin[^"]*)"', page) if "IR-07" in found}
    query = {name: values for name, values in parse_qs(urlsplit(unescape(address)).query).items() if name != "lang"}
    assert query.pop("tab") == ["handin"]
    opened_page = opened("handin", lang=lang, **query)
    assert text.escape(text.word("hand_in.receipt", lang, id=checked.id)) in html(opened_page)
    button(opened_page, f"approve-{checked.id}").click().run()
    assert alone.desk.records.get(checked.id).state == "approved", "it is decided where it is read"


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_calendar_stands_on_quality_once_somebody_has_handed_in(alone, lang):
    title = text.word("hand_in.calendar_is", lang)
    assert title not in html(opened("quality", lang=lang))
    checked = alone.hand_in(submissions.person(), "IR-07", more_people())
    alone.desk.submit(submissions.person(), checked.id)
    assert title in html(opened("quality", lang=lang))


@pytest.mark.parametrize("lang", LANGUAGES)
def test_what_provinces_owe_needs_action_once_somebody_has_handed_in(alone, lang):
    month = deadline.months_due(date.today(), alone.desk.rules, 1)[0]
    words = text.word("action.owed", lang, count=text.number(30, lang), month=text.unit_label(month, lang))
    assert words not in unescape(html(opened("overview", lang=lang)))
    at = time.time() - 90 * 86_400
    unchanged = dict.fromkeys(TABLES, ("a", at))
    for code in ("IR-07", "IR-10"):
        state = "published" if code == "IR-07" else "returned"
        made = partial(
            Submission, province=code, month=month, state=state, hands=("a",), unchanged=unchanged, submitted_at=at
        )
        alone.desk.records.add(code, month, lambda ident, _, made=made: made(ident))
    page = unescape(html(opened("overview", lang=lang)))
    assert words in page
    back = text.word("action.went_back", lang, places=text.isolated(member_names.of("province", "IR-10", lang), lang))
    assert back in page


def test_who_submits_is_led_from_what_is_owed_to_where_it_is_submitted(alone, monkeypatch):
    month = deadline.months_due(date.today(), alone.desk.rules, 1)[0]
    make = partial(Submission, province="IR-10", month=month, state="withdrawn", hands=("a",))
    alone.desk.records.add("IR-10", month, lambda ident, _: make(ident))
    for who, part in (
        (alone.clerk, "handin"),
        (alone.steward, "approve"),
        (alone.somebody("r", "national"), "quality"),
    ):
        monkeypatch.setattr(submissions, "reader", lambda who=who: who)
        found, where = submissions.owed(every_province())
        assert (where, "IR-07" in found.provinces) == (part, True)
    monkeypatch.setattr(submissions, "reader", lambda: alone.steward)
    assert submissions.owed(["IR-07"])[1] == "handin"


@pytest.mark.parametrize("lang", LANGUAGES)
def test_sixteen_equal_faults_are_a_summary_fewer_stand_row_by_row(alone, lang):
    alone.only_rows = True
    content = province_files(FARS)[PERSONNEL]
    late = [person(171_000 + at, "IR-07", "100", birth_date="1499/01/01") for at in range(16)]
    odd = [person(172_000 + at, "IR-07", "100", gender="?") for at in range(3)]
    alone.hand_in(submissions.person(), "IR-07", {PERSONNEL: with_rows(content, "personnel", *late, *odd)})
    page = html(opened("handin", of="IR-07", lang=lang))
    assert text.escape(text.word("hand_in.single", lang, count=text.number(3, lang))) in page
    first, last = (text.digits(f"سطر {line}" if lang == "fa" else f"line {line}", lang) for line in (48, 50))
    assert first in page
    assert last in page
    assert not [secret for one in (*late, *odd) for secret in (one["national_id"], "1499") if secret in page]


def test_the_rows_of_a_file_add_up_with_those_that_stand_twice(alone):
    alone.only_rows = True
    content = province_files(FARS)[PERSONNEL]
    again = person(100_000, "IR-07", "100")
    odd = person(173_000, "IR-07", "100", county="ناکجا")
    alone.hand_in(submissions.person(), "IR-07", {PERSONNEL: with_rows(content, "personnel", again, odd)})
    page = html(opened("handin", of="IR-07"))
    counts = {"adds_up": {"read": "۳۲", "loaded": "۳۱", "back": "۰"}, "twice": {"count": "۱"}, "warned": {"count": "۱"}}
    assert " ".join(text.word(f"hand_in.{key}", "fa", **values) for key, values in counts.items()) in page


def test_a_check_is_stopped_on_the_page(alone):
    draft = alone.desk.open(submissions.person(), "IR-07", LAST)
    alone.give(submissions.person(), draft.id, 1, PERSONNEL, more_people()[PERSONNEL])
    page = opened("handin", of="IR-07")
    button(page, "hand-in-stop").click().run()
    assert alone.desk.records.get(draft.id).state == "draft"
    button(page, "hand-in-check").click().run()
    assert alone.desk.records.get(draft.id).state == "checking"


def test_the_matrix_counts_who_is_done_who_waits_and_who_lacks_tables(alone):
    unchanged = dict.fromkeys(TABLES, ("a", time.time()))
    # Of IR-16 the later one was approved first.
    each = (
        ("IR-07", "approved"),
        ("IR-10", "submitted"),
        ("IR-13", "returned"),
        ("IR-16", "submitted"),
        ("IR-16", "approved"),
    )
    for code, state in each:
        make = partial(Submission, province=code, month=LAST, state=state, hands=("a",), unchanged=unchanged)
        alone.desk.records.add(code, LAST, lambda ident, _, make=make: make(ident, submitted_at=time.time()))
    page = html(opened("approve", lang="en"))
    assert text.word("hand_in.matrix", "en", approved="1", waiting="2", missing="28") in page


def test_a_correction_of_one_table_leaves_the_others_as_they_came(alone):
    at = time.time()
    unchanged = dict.fromkeys(TABLES, ("a", at))
    make = partial(Submission, province="IR-07", month=LAST, state="published", hands=("a",), unchanged=unchanged)
    alone.desk.records.add("IR-07", LAST, lambda ident, _: make(ident, submitted_at=at))
    draft = alone.desk.open(submissions.person(), "IR-07", LAST)
    alone.give(submissions.person(), draft.id, 1, PERSONNEL, more_people()[PERSONNEL])
    page = html(opened("handin", of="IR-07"))
    assert page.count(f">{text.word('arrival.no_change', 'fa')}</td>") == 3
    assert text.word("arrival.missing", "fa") not in page
