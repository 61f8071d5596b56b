"""Institutes, legal standing, smart services and other countries on screen, over the hand-made sample, in both languages."""

import re
from datetime import date
from itertools import pairwise
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from etl.analysis import analyses, international
from etl.analysis.licensing import adoption
from etl.semantic import access, answers, ranking, rights
from etl.semantic.catalog import catalogue
from tests.parts import html, opened
from ui.charts import grouped, licensing
from ui.charts.elements import ChartContext
from ui.i18n import member_names, text
from ui.palette import RAMPS
from ui.summary import different

PAGES = ("licensing", "legal", "coverage", "overview")
LANGUAGES = ("fa", "en")
LAPSED = date(2024, 6, 20)


def page_html(name: str, lang: str, **view: str) -> str:
    app = page(name, lang, **view)
    return html(app)


def page(name: str, lang: str, **view: str) -> AppTest:
    app = opened(name, **view, **({"lang": "en"} if lang == "en" else {}))
    assert not app.exception
    return app


def headings(page: str) -> list[str]:
    return [re.sub("<.*?>", "", heading) for heading in re.findall(r"<h3>(.*?)</h3>", page)]


def rows_of(page: str, caption: str) -> list[list[str]]:
    """The cells of the table under `caption`, row by row."""
    body = re.search(re.escape(f"<caption>{caption}</caption>") + r".*?<tbody>(.*?)</tbody>", page, re.S)
    assert body, caption
    return [
        [re.sub("<.*?>", "", cell) for cell in re.findall(r"<t[hd].*?>(.*?)</t[hd]>", row, re.S)]
        for row in re.findall(r"<tr>(.*?)</tr>", body[1], re.S)
    ]


@pytest.mark.slow
@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("name", PAGES)
def test_no_page_fails_in_any_scope(name: str, lang: str, published: Path) -> None:
    for view in ({"province": "IR-30"}, {"institute": "003"}, {"gender": "female"}, {"on": "2016-01-01"}):
        assert "pd-error" not in page_html(name, lang, **view), view


@pytest.mark.slow
@pytest.mark.parametrize("lang", LANGUAGES)
def test_institutes_whose_licence_lapsed_stand_by_name(lang: str, published: Path) -> None:
    page = page_html("licensing", lang)
    title = text.word("listing.lapsed", lang, count=text.number(2, lang))
    assert title in headings(page)
    first, second = rows_of(page, title)
    # Two institutes may have one name, and an English reader gets a code for one without Latin letters.
    name, province = {"fa": "نمونه گشت ۰۰۲", "en": "نمونه گشت 002"}[lang], member_names.of("province", "IR-30", lang)
    assert first[:3] == [name, text.number(1, lang), province], "what the list counts stands beside the name"
    assert first[4:6] == [member_names.of("status", "active", lang), text.day(LAPSED, lang)]
    assert second[0] == {"fa": "نمونه مراسم ۰۰۳", "en": "نمونه مراسم 003"}[lang]
    assert 'href="institutes?tab=register&amp;institute=002' in page
    of_one = page_html("licensing", lang, province="IR-30")
    (alone,) = rows_of(of_one, text.word("listing.lapsed", lang, count=text.number(1, lang)))
    assert alone == [*first[:2], first[3], *first[5:]], "neither the one province nor the status of all"


@pytest.mark.slow
@pytest.mark.parametrize("lang", LANGUAGES)
def test_licences_that_end_soon_stand_by_name(lang: str, published: Path) -> None:
    page = page_html("licensing", lang, on="2024-06-10")
    title = text.word("listing.licences_ending", lang, count=text.number(2, lang))
    left = [row[1] for row in rows_of(page, title)]
    assert left == [text.word("listing.days_left", lang, count=text.number(days, lang)) for days in (10, 41)]
    later = page_html("licensing", lang)
    nothing = text.word("listing.licences_ending", lang, count=text.number(0, lang))
    assert nothing in headings(later), "nothing ends within 90 days of the latest day"


@pytest.mark.slow
def test_a_filter_of_persons_is_reported_as_having_no_effect_on_institutes(published: Path) -> None:
    page = page_html("licensing", "en", gender="female")
    gender = text.word("scope.gender", "en")
    assert text.escape(text.word("scope.no_effect", "en", filters=gender)) in page
    assert text.word("listing.lapsed", "en", count="2") in headings(page)


@pytest.mark.slow
@pytest.mark.parametrize("lang", LANGUAGES)
def test_officers_without_training_in_date_are_listed_by_institute(lang: str, published: Path) -> None:
    page = page_html("legal", lang, on="2024-03-19")
    title = text.word("listing.officers_untrained", lang, count=text.number(1, lang))
    # The columns name the measures.
    below = f"{text.word('listing.officers_untrained_help', lang)} · {text.word('scope.nation', lang)} ·"
    assert text.escape(below) in page
    [row] = rows_of(page, title)
    assert row[0] == {"fa": "نمونه حافظان ۰۰۱", "en": "نمونه حافظان 001"}[lang], "the name and the code"
    assert [row[1], row[4]] == [text.number(1, lang), text.percent(0.0, lang)], "no status where all are operating"


@pytest.mark.parametrize("lang", LANGUAGES)
def test_legal_and_smart_begin_with_what_they_are_for(lang: str, published: Path) -> None:
    legal, licensing = page_html("legal", lang), page_html("licensing", lang)
    smart = licensing.partition(text.word("smart.title", lang))[2]
    officers, share = (catalogue()[name].label[lang] for name in ("officer_training_share", "judicial_officer_share"))
    assert legal.index(f'pd-label">{text.escape(officers)}') < legal.index(f'pd-label">{text.escape(share)}')
    assert 0 < smart.index("pd-value") < smart.index(text.escape(text.word("smart.no_history", lang)))


@pytest.mark.parametrize("lang", LANGUAGES)
def test_smart_services_come_with_a_word_of_caution(lang: str, published: Path) -> None:
    app = page("licensing", lang)
    shown = html(app)
    assert text.escape(text.word("smart.no_history", lang)) in shown
    assert text.escape(text.word("smart.no_proof", lang)) not in shown, "nothing is compared yet"
    assert not [one for one in app.get("bidi_component") if "adoption" in one.proto.id], "one publication has no line"


@pytest.mark.slow
@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_claim_is_placed_and_every_figure_has_its_source(lang: str, published: Path) -> None:
    page = page_html("coverage", lang)
    places = different.joined([member_names.of("country", code, lang) for code in ("IND", "CHN")], lang)
    above = {"force": member_names.of("force", "guards", lang), "places": places, "count": text.number(2, lang)}
    assert text.word("abroad.some_above", lang, **above) in headings(page)
    with access.connect(published, rights.ADMINISTRATOR) as con:
        figures = international.claim(con).records()
        named = {(row["country"], row["counted"], row["counted_year"]) for row in figures}
        # The chart beside it has figures of its own, such as that of the world.
        more = [row for row in international.countries(con).records() if row["source"]]
        figures += [row for row in more if (row["country"], row["counted"], row["counted_year"]) not in named]
        assert "WLD" in {row["country"] for row in figures}
    sources = re.search(r'<ol class="pd-rules">(.*?)</ol>', page, re.S)
    assert sources
    assert sources[1].count("<li>") == len(figures)
    for figure in figures:
        assert f'href="{text.escape(figure["address"])}"' in sources[1]
        assert text.escape(figure["source"]) in sources[1]


# ------------------------------------------------------------------ charts
@pytest.fixture(params=[(lang, dark) for lang in LANGUAGES for dark in (False, True)])
def context(request: pytest.FixtureRequest) -> ChartContext:
    return ChartContext(*request.param)


def test_countries_stand_in_groups_of_their_force_from_zero(context: ChartContext, published: Path) -> None:
    with access.connect(published, rights.ADMINISTRATOR) as con:
        answer = international.countries(con)
    figure = grouped.countries(answer, context)
    [bars] = figure["data"]
    assert bars["x"] == [row[5] or 0 for row in answer.rows]
    assert len(set(bars["marker"]["color"])) == 2, "this country, and the others"
    gaps = [b - a for a, b in pairwise(bars["y"])]
    forces = answer.column("force")
    assert gaps == [2.0 if a != b else 1.0 for a, b in pairwise(forces)]
    assert 0 in figure["layout"]["xaxis"]["range"]
    notes = [note["text"] for note in figure["layout"]["annotations"]]
    assert sum(context.word("figure.missing") in words for words in notes) == 2, "an unknown rate is said, never zero"


def test_the_title_sets_this_country_beside_all_countries_of_a_force_and_not_beside_one(published: Path) -> None:
    with access.connect(published, rights.ADMINISTRATOR) as con:
        answer = international.countries(con)
    title = grouped.beside(answer, ChartContext("en")).sentence
    low, high = (end(row[5] for row in answer.rows if row[0] == "guards" and row[5]) for end in (min, max))
    assert f"{low:,.1f} to {high:,.1f}" in title
    assert not any(member_names.of("country", row[1], "en") in title for row in answer.rows)


def test_a_pattern_says_how_sure_a_source_is(context: ChartContext, published: Path) -> None:
    with access.connect(published, rights.ADMINISTRATOR) as con:
        answer = international.countries(con)
    marker = grouped.countries(answer, context)["data"][0]["marker"]
    patterns = list(zip(marker["pattern"]["shape"], marker["opacity"], strict=True))
    sure = {"register": ("", 1), "high": ("", 1), "medium": ("/", 1), "low": ("", 0.55)}
    assert patterns == [sure[row[4]] for row in answer.rows]


def test_what_exceeds_the_claim_has_its_own_colour(context: ChartContext, published: Path) -> None:
    with access.connect(published, rights.ADMINISTRATOR) as con:
        answer = international.claim(con)
    figure = grouped.claimed(answer, context)
    colours = figure["data"][0]["marker"]["color"]
    assert [colour == context.colour("actual") for colour in colours] == [
        n > 4_000_000 for n in answer.column("persons_counted")
    ]
    assert [shape["x0"] for shape in figure["layout"]["shapes"]] == [4_000_000]
    headings = [note for note in figure["layout"]["annotations"] if "<b>" in note["text"]]
    assert headings
    assert {note.get("bgcolor") for note in headings} == {context.colour("surface")}, "not crossed by the line"


def test_ages_add_up_to_what_is_outstanding(context: ChartContext, published: Path) -> None:
    names = ("outstanding", "outstanding_30", "outstanding_90", "outstanding_180", "outstanding_older")
    with access.connect(published, rights.ADMINISTRATOR) as con:
        answer = answers.ask(con, *names, by=("province",))
    figure = licensing.aged(answer, context)
    totals = [sum(bar["x"][row] for bar in figure["data"]) for row in range(31)]
    assert totals == sorted(answer.column("outstanding"), reverse=True)
    assert sum(totals) == 2
    colours = [bar["marker"]["color"] for bar in figure["data"]]
    assert len({*colours}) == 4
    ramp = RAMPS["counts"][context.dark]
    assert (colours[0], colours[-1]) == (ramp[0], ramp[-1]), "ages are as far apart as they can be"


def test_adoption_is_dotted_between_publications(context: ChartContext, published: Path) -> None:
    with access.connect(published, rights.ADMINISTRATOR) as con:
        answer = adoption(con)
    [line] = licensing.published(answer, context)["data"]
    assert line["y"] == [0.5]
    assert line["line"]["dash"] == "dot"
    assert "markers" in line["mode"]


@pytest.mark.slow
@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_licence_ends_today(lang: str, published: Path) -> None:
    page = page_html("licensing", lang, on=LAPSED.isoformat())
    title = text.word("listing.licences_ending", lang, count=text.number(2, lang))
    assert rows_of(page, title)[0][1] == text.word("listing.today", lang)


@pytest.mark.slow
def test_the_register_begins_with_the_largest_and_says_that_some_serve_in_two(published: Path) -> None:
    page = page_html("register", "en")
    (below,) = re.findall(r"<caption>(Active.*?)</caption>", page)
    counts = [int(row[1]) for row in rows_of(page, below)]
    assert counts == sorted(counts, reverse=True)
    assert sum(counts) == 10, "Hossein, one of nine, serves in two institutes"
    assert text.escaped("figure.overlap", "en") in page.partition(below)[2]


@pytest.mark.slow
def test_institutes_that_fall_below_the_goal_are_said_to_the_last_day(
    small_register: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WAREHOUSE", str(small_register))
    with access.connect(small_register, rights.ADMINISTRATOR) as con:
        falling = analyses.analyse(con, "institutes_falling")
    last, count = text.day(max(falling.column("falls_on")), "en"), str(len(falling.rows))
    page = page_html("training", "en")
    assert (title := text.word("listing.institutes_falling", "en", count=count, last=last)) in headings(page)
    few = min(falling.records(), key=lambda row: row["trainable_assistants"])
    assert few["trainable_assistants"] < ranking.LEAST
    share = text.percent(few["training_compliance"], "en")
    assert f"<small>{share}</small>" in page.partition(f"<caption>{title}</caption>")[2]
