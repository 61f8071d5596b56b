"""The first screen, the profile of a province and the tabs, over the hand-made sample, in both languages."""

import html as markup
import json
import re
from importlib import import_module
from pathlib import Path

import pytest

from etl.analysis import analyses
from etl.core.jalali import add_months, last_complete_months
from etl.core.paths import ROOT
from etl.semantic import access, rights
from etl.semantic.answers import ask
from etl.semantic.resolve import settled_on
from tests.parts import PARTS, html, opened
from ui.exhibits import needs_action
from ui.i18n import member_names, navigation, text

pytestmark = pytest.mark.slow

LANGUAGES = ("fa", "en")
TABBED = [entry for entry in navigation.menu() if len(navigation.parts(entry)) > 1]


def page_html(name: str, lang: str, **view: str) -> str:
    app = opened(name, **view, **({"lang": "en"} if lang == "en" else {}))
    assert not app.exception
    return html(app)


# ---------------------------------------------------------------- menu and tabs


def test_the_menu_has_at_most_nine_entries_in_three_groups_and_every_part_a_place() -> None:
    menu = navigation.menu()
    assert len(menu) <= 9
    assert list(dict.fromkeys(entry["group"] for entry in menu)) == ["look", "analyse", "trust"]
    files = {path.stem for path in (ROOT / "pages").glob("*.py")} - {"__init__", "__main__"}
    assert set(PARTS) == files


@pytest.mark.parametrize("part", [part for entry in TABBED for part in navigation.parts(entry)])
def test_a_closed_tab_runs_no_query(part: str, published: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[str] = []
    for name in (name for entry in TABBED for name in navigation.parts(entry)):
        module = import_module(f"pages.{name}")
        monkeypatch.setattr(module, "page", lambda name=name: ran.append(name))
    app = opened(part)
    assert not app.exception
    assert ran == [part]
    labels = [tab.label for tab in app.tabs]
    entry = next(entry for entry in TABBED if part in navigation.parts(entry))
    assert labels == [navigation.part_words(name)["fa"] for name in navigation.parts(entry)]
    assert app.session_state[f"tabs {entry['page']}"] == navigation.part_words(part)["fa"]


def test_an_unknown_tab_is_ignored(published: Path) -> None:
    app = opened("licensing", tab="evil")
    assert text.word("state.left_out_title", "fa") in html(app)
    assert app.query_params == {}


@pytest.mark.parametrize("name", ["lapsed", "files_overdue", "stopped"])
def test_a_list_named_in_the_address_comes_once_before_the_cards(
    name: str,
    published: Path,
) -> None:
    usual, with_list = page_html("licensing", "en"), page_html("licensing", "en", open=name)
    help_text = text.escape(text.word(f"listing.{name}_help", "en"))
    assert usual.count(help_text) == with_list.count(help_text) == 1
    assert usual.index(help_text) > usual.index("pd-card")
    assert with_list.index(help_text) < with_list.index("pd-card")


# ---------------------------------------------------------------- the first screen


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_verdict_contains_the_numbers_of_its_answers(lang: str, published: Path) -> None:
    with access.connect(published, rights.ADMINISTRATOR) as con:
        now = ask(con, "active_assistants", "target", "target_progress")
        active, target, progress = now.value(), now.value("target"), now.value("target_progress")
        before = ask(con, "active_assistants", on=add_months(now.on, -12)).value()  # type: ignore[arg-type]
    match = re.search(r'<div class="pd-verdict">(.*?)<div class="pd-progress"(.*?)>', page_html("overview", lang), re.S)
    assert match
    values = [active, target, target - active, abs(active - before)]
    for number in [*(text.number(value, lang) for value in values), text.percent(progress, lang)]:
        assert text.escape(number) in match[1]
    assert f'aria-valuenow="{progress * 100:.1f}"' in match[2]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_each_item_that_needs_action_links_to_a_list_of_the_same_length(lang: str, published: Path) -> None:
    overview = page_html("overview", lang)
    items = dict(re.findall(r'<li class="pd-action-(\w+)">(.*?)</li>', overview, re.S))
    assert list(items)[:2] == ["lapsed", "training_lapsing"]
    assert len(items) <= needs_action.MOST == 7
    assert "<details" not in overview.partition('<ol class="pd-actions">')[2].partition("</div>")[0]
    with access.connect(published, rights.ADMINISTRATOR) as con:
        lapsed = len(analyses.by_name()["lapsed"].run(con).rows)
    assert text.number(lapsed, lang) in items["lapsed"]
    address = re.search(r'href="(.*?)"', items["lapsed"])
    assert address
    page, _, query = markup.unescape(address[1]).partition("?")
    assert page == "institutes"
    parameters = dict(pair.split("=") for pair in query.split("&"))
    assert parameters.pop("lang", "fa") == lang
    listing = page_html("licensing", lang, **parameters)
    first = re.search(r"<h3>(.*?)</h3>", listing)
    assert first
    assert first[1] == text.escape(text.word("listing.lapsed", lang, count=text.number(lapsed, lang)))


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_first_items_say_what_who_and_by_when_and_how_many_more_there_are(
    lang: str, published: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    every = re.findall(r'<li class="pd-action-.*?</li>', page_html("overview", lang), re.S)
    assert len(every) > 2
    for item in every:
        assert re.search(r'</a> <span class="pd-(who|when)">', item), "else its line says what is to be done alone"
    monkeypatch.setattr(needs_action, "MOST", 2)
    cut = page_html("overview", lang)
    assert re.findall(r'<li class="pd-action-.*?</li>', cut, re.S) == every, "none is lost"
    more = text.escape(text.word("listing.more", lang, count=text.number(len(every) - 2, lang)))
    first, _, others = cut.partition(f'</ol><details class="pd-note"><summary>{more}</summary>')
    assert (first.count('<li class="pd-action-'), others.count('<li class="pd-action-')) == (2, len(every) - 2)


def test_the_foot_says_only_what_the_page_does_not(published: Path) -> None:
    def foot(part: str, **view: str) -> str:
        return page_html(part, "en", **view).rpartition("pd-trust")[2]

    provisional, latest = (
        text.escape(text.word(f"trust.{key}", "en", day="")) for key in ("provisional", "as_of_latest")
    )
    assert provisional not in foot("overview")
    assert provisional in foot("growth"), "the leavers of its last months are drawn lighter"
    assert latest not in foot("overview"), "the scope has the day"
    assert latest in foot("overview", on="2024-05-01")


def test_the_months_of_the_small_lines_are_said_once(published: Path) -> None:
    page = page_html("overview", "en")
    assert page.count('class="pd-spark"') == 3
    assert len(re.findall(r'class="pd-dot"[^>]*></i><small>[^<]* months</small>', page)) == 1


def test_where_nothing_needs_action_it_says_so(published: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(needs_action, "actions", lambda *_: [])
    page = page_html("overview", "en")
    assert text.escape(text.word("action.none", "en")) in page
    assert 'class="pd-actions"' not in page


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_card_of_a_provisional_measure_is_that_of_the_settled_day_and_names_it(
    lang: str,
    published: Path,
) -> None:
    with access.connect(published, rights.ADMINISTRATOR) as con:
        day = settled_on(con, "leaver_rate_12m")
        settled, latest = (ask(con, "leaver_rate_12m", on=on).value() for on in (day, None))
    assert day
    assert settled != latest
    label = ask_label("leaver_rate_12m", lang)
    card = re.search(
        rf'"pd-label">{re.escape(text.escape(label))}(.*?)</p><div><p class="pd-value"><bdi>(.*?)</bdi>',
        page_html("workforce", lang),
    )
    assert card
    assert text.day(day, lang) in card[1]
    assert card[2] == text.percent(settled, lang)


def ask_label(name: str, lang: str) -> str:
    from etl.semantic.catalog import catalogue

    return catalogue()[name].label[lang]


def test_a_card_has_a_line_of_24_months_and_leads_to_its_page(published: Path) -> None:
    page = page_html("overview", "en", province="IR-30")
    lines = re.findall(
        r'class="pd-spark".*?aria-label="(.*?)".*?polygon\((.*?)\)"></i>'
        r'<i class="pd-dot" style="top:(.*?)%".*?<small>(.*?)</small>',
        page,
    )
    assert lines
    label, corners, end, months = lines[0]
    assert label.startswith("24 months: from")
    assert months == "24 months"
    assert corners.count("calc") == 2 * 24
    assert f"100.0% calc({end}% - 1px)" in corners, "the dot is at its end"
    assert 'href="growth?province=IR-30&amp;lang=en"' in page


@pytest.mark.parametrize("lang", LANGUAGES)
def test_each_link_from_a_number_is_named_after_its_page(lang: str, published: Path) -> None:
    links = re.findall(r'<h3><a href="(\w+)[^"]*"[^>]* title="([^"]*)">([^<]*)</a>', page_html("overview", lang))
    parts = ("coverage", "growth", "training")
    assert {page: title for page, title, _ in links} == {part: navigation.part_words(part)[lang] for part in parts}
    assert len({words for _, _, words in links}) == len(links) == len(parts)


# ---------------------------------------------------------------- a province


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_profile_describes_its_province(lang: str, published: Path) -> None:
    page = page_html("overview", lang, province="IR-30")
    with access.connect(published, rights.ADMINISTRATOR) as con:
        active = ask(con, "active_assistants", where={"province": ("IR-30",)}).value()
    verdict = re.search(r'<div class="pd-verdict"><p>(.*?)</p>', page)
    assert verdict
    sentence = text.word("verdict.active", lang, count=text.number(active, lang), change="")
    assert verdict[1].startswith(text.escape(sentence).rstrip("."))
    sides = re.findall(
        r'<td class="[^"]*">([^<]*)</td>', page.partition(text.escape(text.word("profile.side", lang)))[2]
    )
    assert not any(text.word("different.nation", lang) in side for side in sides), (
        "five persons are too few to be compared"
    )
    assert text.escape(text.word("listing.register_help", lang)) in page


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_heading_of_a_place_is_its_name(lang: str, published: Path) -> None:
    province, county = member_names.of("province", "IR-11", lang), member_names.of("county", "1102", lang)
    title = text.escape(text.word("profile.title", lang, place=province))
    assert f"<h1>{title}</h1>" in page_html("overview", lang, province="IR-11")
    title = text.escape(text.word("profile.county", lang, place=county))
    assert f"<h1>{title}</h1>" in page_html("overview", lang, province="IR-11", county="1102")
    for view in ({}, {"province": ["IR-11", "IR-23"]}):
        assert f"<h1>{navigation.menu()[0][lang]}</h1>" in page_html("overview", lang, **view)


def test_beside_a_province_stands_the_trend_of_the_nation(published: Path) -> None:
    app = opened("overview", lang="en", province="IR-23")
    (trend,) = [
        json.loads(one.proto.bytes)["figure"]
        for one in app.get("bidi_component")
        if one.proto.component_name == "dashboard.plot" and "chart-training" in one.proto.id
    ]
    with access.connect(published, rights.ADMINISTRATOR) as con:
        over = last_complete_months(con.publication.as_of, 24)[0], con.publication.as_of
        nation = dict(ask(con, "training_compliance", by=("month",), over=over).frame.iloc[:, :2].to_numpy().tolist())
    own, *_, whole = trend["data"]
    assert len(own["y"]) == len(whole["y"])
    assert whole["y"] == list(nation.values())
    assert len({*whole["y"]}) > 1, "a line of one value would be no trend"


@pytest.mark.parametrize("name", ["coverage", "training", "legal", "explore", "quality"])
def test_a_page_of_one_province_leads_to_its_profile(name: str, published: Path) -> None:
    def findings(**scope: str) -> str:
        return "".join(
            re.findall(r'<p class="pd-said".*?</p>(?:<details.*?</details>)?', page_html(name, "fa", **scope))
        )

    links = (
        'href="./?province=IR-23&amp;on=2024-05-04"',
        'href="explore?tab=compare&amp;province=IR-23&amp;on=2024-05-04&amp;q=IR-08"',
    )
    of_province, of_nation = findings(province="IR-23", on="2024-05-04"), findings(on="2024-05-04")
    assert [link in of_province for link in links] == [name != "quality"] * 2
    assert "href" not in of_nation


def test_the_cell_of_a_province_leads_to_its_profile_unless_it_is_the_page(published: Path) -> None:
    link = '<td><a href="./?province=IR-23" target="_self">تهران</a></td>'
    assert link in page_html("register", "fa")
    assert link not in page_html("register", "fa", province="IR-23")


def test_a_profile_is_of_the_people_of_the_page_that_leads_to_it(published: Path) -> None:
    page = page_html("overview", "fa", gender="female", post=["guard", "operator"], on="2024-05-04")
    assert 'href="./?province=IR-23&amp;gender=female&amp;post=guard&amp;post=operator&amp;on=2024-05-04"' in page
    in_a_county = page_html("coverage", "fa", county="1102", province="IR-11", gender="female")
    assert 'href="./?province=IR-11&amp;gender=female"' in in_a_county


def test_the_card_of_ending_licences_links_to_exactly_those(published: Path) -> None:
    page = page_html("licensing", "fa", on="2024-06-10")
    assert 'class="pd-go" href="institutes?on=2024-06-10&amp;open=licences_ending&amp;days=30"' in page


@pytest.mark.slow
def test_places_that_do_not_add_up_say_why(
    published: Path, small_register: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unknown, overlap = text.escaped("glance.unknown", "en", count="1"), text.escaped("figure.overlap", "en")

    def below(part: str, **scope: str) -> list[tuple[str, str]]:
        """The notes below the table, each with where it is to be seen."""
        table = page_html(part, "en", **scope).partition("at a glance</caption>")[2]
        return re.findall(r'<p class="pd-note([^"]*)">([^<]*)', table)[:2]

    paper = (" pd-on-paper", overlap)
    assert paper in below("overview"), "Hossein serves in two provinces"
    assert below("overview", province="IR-30")[0] == ("", unknown), "the county of one of five is not recorded"
    monkeypatch.setenv("WAREHOUSE", str(small_register))
    assert below("overview", province="IR-09") == [("", unknown), paper], "one of 69 is in no county, another in two"


@pytest.mark.slow
def test_a_note_of_several_figures_appears_once(small_register: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAREHOUSE", str(small_register))
    page = page_html("explore", "en", m="active_assistants", by="province")
    assert page.count("<h3>") >= 3, "a map, a ranking and a table"
    assert page.count(f"{text.escaped('figure.overlap', 'en')}</bdi></p>") == 1
