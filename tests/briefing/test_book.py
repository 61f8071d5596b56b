"""The book as a file: tags, language, fonts, attachment, the numbers that ask gives, the same bytes twice."""

import csv
import io
import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from datetime import date
from itertools import product

import pikepdf
import pytest

from etl.analysis import projection
from etl.core.errors import Refused
from etl.core.jalali import year_before
from etl.semantic import access, answers
from etl.semantic.catalog import catalogue, derived
from etl.semantic.resolve import settled_on
from etl.semantic.rights import ADMINISTRATOR
from tests import made
from tests.conftest import ROOT
from tests.effort import thorough
from tests.loading import build
from tests.made import counts_people
from ui.briefing import content, drawing, typesetting, writing
from ui.briefing.writing import Press
from ui.charts import boundaries, county_maps, forecast
from ui.charts.elements import ChartContext
from ui.data.ask import Question
from ui.exhibits import coverage, training, verdict
from ui.i18n import member_names, text
from ui.state.questions import analyse_under, on_day, who_differs

pytestmark = pytest.mark.slow

PLACES = ("IR", "IR-11", "IR-23")


# Each place in one language, and the nation in both.
WRITTEN = [
    pytest.param((place, lang), marks=thorough if place != "IR" and lang != text.LANGUAGES[at % 2] else ())
    for at, place in enumerate(PLACES)
    for lang in text.LANGUAGES
]


@pytest.fixture(scope="module", params=WRITTEN, ids="-".join)
def written_book(request, press: Press) -> tuple[str, str, bytes]:
    place, lang = request.param
    return place, lang, press.pdf(press.writer(place, lang))


def open_pdf(pdf: bytes) -> pikepdf.Pdf:
    return pikepdf.open(io.BytesIO(pdf))


def elements_of(node) -> list:
    """The structure elements in reading order."""
    elements = []
    if isinstance(node, pikepdf.Array):
        for part in node:
            elements += elements_of(part)
    elif isinstance(node, pikepdf.Dictionary):
        if "/S" in node:
            elements.append(node)
        if "/K" in node:
            elements += elements_of(node.K)
    return elements


def numbers(pdf: bytes) -> list[dict[str, str]]:
    with open_pdf(pdf) as book:
        content = book.attachments["numbers.csv"].get_file().read_bytes()
    return list(csv.DictReader(io.StringIO(content.decode("utf-8"))))


def test_the_book_is_tagged_names_its_language_and_its_standards(written_book):
    _, lang, pdf = written_book
    with open_pdf(pdf) as book:
        assert book.Root.MarkInfo.Marked
        assert str(book.Root.Lang).startswith(lang)
        assert str(book.docinfo["/Title"])
        with book.open_metadata() as meta:
            assert meta["pdfaid:part"] == "3"
            assert meta["pdfuaid:part"] == "1"


def test_every_picture_has_words_and_headings_come_in_order(written_book):
    place, _, pdf = written_book
    with open_pdf(pdf) as book:
        tree = elements_of(book.Root.StructTreeRoot.K)
        kinds = [str(element.S) for element in tree]
        figures = [element for element in tree if str(element.S) == "/Figure"]
        assert len(figures) >= (2 if place == "IR" else 1)
        assert all(str(element.get("/Alt", "")).strip() for element in figures)
    headings = [kind for kind in kinds if re.fullmatch("/H[1-6]", kind)]
    assert headings[0] == "/H1"
    assert headings.count("/H1") == 1
    assert set(headings) == {"/H1", "/H2"}
    assert "/Table" in kinds
    assert "/TH" in kinds


def test_every_font_is_a_subset_of_vazirmatn_and_embedded(written_book, tmp_path):
    (tmp_path / "book.pdf").write_bytes(written_book[2])
    listing = subprocess.run(["pdffonts", tmp_path / "book.pdf"], check=True, capture_output=True, text=True).stdout
    fonts = listing.splitlines()[2:]
    assert fonts
    for font in fonts:
        assert re.match(r"[A-Z]{6}\+Vazirmatn", font), font
        # emb, sub, uni
        assert re.search(r"\byes yes yes\b", font), font


def test_the_numbers_travel_with_the_book(written_book):
    with open_pdf(written_book[2]) as book:
        (name,) = book.attachments
        attached = book.attachments[name]
        assert name == "numbers.csv"
        assert attached.description
        assert attached.obj.AFRelationship == "/Data"
        assert attached.get_file().mime_type == "text/csv"


def test_the_first_page_is_the_only_first_page(written_book):
    """Two to four pages, none of them nearly empty."""
    with open_pdf(written_book[2]) as book:
        assert 2 <= len(book.pages) <= 4


def test_exact_numbers_equal_those_of_ask(press, pointer):
    pdf = press.pdf(press.writer("IR", "fa", exact=True))
    checked = set()
    with access.connect(pointer, ADMINISTRATOR) as con:
        for row in numbers(pdf):
            metric, by = row["metric"], row["by"]
            definition = catalogue().get(metric)
            if (
                not definition
                or definition.kind != "snapshot"
                or by not in ("", "province")
                or row["by_2"]
                or not row["on"]
            ):
                continue
            answer = answers.ask(con, metric, by=[by] if by else [], on=date.fromisoformat(row["on"]))
            values = {
                line[0] if by else "": line[-1 if not definition.numerator else len(answer.by)] for line in answer.rows
            }
            value = values[row["member"] if by else ""]
            assert row["value"] == ("" if value is None else str(value)), row
            checked.add((metric, by))
    assert {
        ("active_assistants", ""),
        ("active_assistants", "province"),
        ("training_compliance", "province"),
    } <= checked
    assert {("leaver_rate_12m", ""), ("licensed_institutes", "province"), ("coverage_per_10k", "province")} <= checked


def test_a_rate_of_cards_and_changes_is_of_one_settled_day(files, tmp_path):
    others = [path.name for path in files.glob("*_IR-*") if not re.search("_IR-(10|23)_", path.name)]
    folder = shutil.copytree(files, tmp_path / "in", ignore=shutil.ignore_patterns(*others))
    whole = {path: path.read_bytes() for path in folder.glob("personnel*.csv")}
    for path, rows in whole.items():
        lines = rows.splitlines(keepends=True)
        path.write_bytes(b"".join(line for at, line in enumerate(lines) if at % 3 or "استعفا".encode() not in line))
    assert build(folder).code == 0
    for path, rows in whole.items():
        path.write_bytes(rows)
    with writing.press(build(folder).to, ADMINISTRATOR) as press:
        questions = press.writer("IR", "en", exact=True)
        book = content.book(questions)
        settled = questions.ask.look_up(settled_on, "leaver_rate_12m", questions.scope.day)
    rates = [answer for answer in questions.recorded() if answer.metrics[0].name == "leaver_rate_12m" and not answer.by]
    assert {answer.on for answer in rates} == {settled, year_before(settled)}
    label = catalogue()["leaver_rate_12m"].label["en"]
    (card,) = (card for card in book["cards"] if card["label"] == label)
    (row,) = (row for row in book["changes"]["rows"] if row[0].startswith(label))
    assert row[0] == text.word("change.settled", "en", label=label, day=text.day(settled, "en"))
    assert row[2] == card["value"]
    assert row[1] != row[2]


def test_the_printed_numbers_equal_the_attached_ones(press):
    questions = press.writer("IR", "en", exact=True)
    book = content.book(questions)
    numbers = csv.DictReader(io.StringIO(typesetting.numbers_file(questions.recorded())))
    today = [row for row in numbers if row["on"] == questions.scope.day.isoformat() and row["by"] in ("", "province")]
    with_values = {(row["metric"], row["member"]): row["value"] for row in today}
    (table,) = book["tables"]
    names = {name: code for code, name in member_names.fixed("province", "en").items()}
    for row in table["rows"]:
        assert row[1] == text.number(int(with_values["active_assistants", names[row[0]]]), "en")
    assert book["cards"][0]["value"] == text.number(int(with_values["active_assistants", ""]), "en")


def test_for_circulation_counts_people_in_fives_and_says_so(press):
    questions = press.writer("IR", "en")
    book = content.book(questions)
    rows = list(csv.DictReader(io.StringIO(typesetting.numbers_file(questions.recorded()))))
    counts = [
        row
        for row in rows
        if catalogue().get(row["metric"]) and catalogue()[row["metric"]].counts == "persons" and row["value"]
    ]
    counts = [row for row in counts if catalogue()[row["metric"]].unit == "persons"]
    assert len(counts) > 100
    assert all(int(row["value"]) % 5 == 0 for row in counts)
    assert "circulation" in book["circulation_short"]
    assert "not for circulation" in content.book(press.writer("IR", "en", exact=True))["circulation_short"]


def test_a_provinces_book_holds_no_detail_of_another(press, pointer):
    questions = press.writer("IR-17", "en")
    book = content.book(questions)
    content_text = json.dumps([book, typesetting.numbers_file(questions.recorded())], ensure_ascii=False)
    others = {code: name for code, name in member_names.fixed("province", "en").items() if code != "IR-17"}
    counties = set(member_names.fixed("county", "en").values())
    assert not [
        name for code, name in others.items() if code in content_text or (name in content_text and name not in counties)
    ]
    assert "Kohgiluyeh and Boyer-Ahmad" in content_text


def test_the_same_book_is_the_same_bytes(press, pointer):
    with writing.press(pointer, ADMINISTRATOR) as another:
        books = [each.pdf(each.writer("IR-23", "fa")) for each in (press, another)]
    assert books[0] == books[1]


def test_a_glyph_that_is_missing_fails_the_run(press, monkeypatch):
    monkeypatch.setattr(typesetting, "drawable", lambda value: value)
    questions = press.writer("IR-17", "fa")
    book = content.book(questions) | {"place": "漢"}
    with writing.press(press._pointer, ADMINISTRATOR) as writer, pytest.raises(Refused, match="cannot be set"):
        writer._typesetter.pdf(book, "")


def test_a_character_that_the_font_lacks_is_written_as_its_code():
    assert typesetting.drawable({"a": ["نگهبان 漢 😀"]}) == {"a": ["نگهبان [U+6F22] [U+1F600]"]}
    assert typesetting.drawable("\u2067۱٬۲۳۴\u2069 ‌−٪") == "\u2067۱٬۲۳۴\u2069 ‌−٪"


def test_a_name_of_200_letters_is_cut(press):
    write = press.writer("IR", "fa")
    write.context.names["institute"] = {"X": "ن" * 200}
    assert write.member("institute", "X") == "ن" * 59 + "…"


@pytest.mark.parametrize("lang", text.LANGUAGES)
def test_no_label_of_the_map_covers_another(press, lang):
    book = content.book(press.writer("IR", lang))
    names, points = member_names.fixed("province", lang), boundaries.label_points()
    rings = (ring for code in names for ring in boundaries.rings_of(code))
    project = drawing._projection_onto(rings, drawing.MAP_WIDTH, drawing.MAP_HEIGHT)
    labels = [
        drawing._Label(code, member_names.short(code, lang), "0.00", project(*points[code]), "") for code in names
    ]
    placed = list(drawing._placed(labels, []))
    boxes = [label.box(*at) for label, at in placed]
    assert len(boxes) == 31
    assert not [
        (i, j) for i, box in enumerate(boxes) for j, other in enumerate(boxes[:i]) if drawing._overlap(box, other)
    ]
    for label, _ in placed:
        assert label.name in book["map"]["svg"]


@pytest.mark.parametrize("exact", [True, False])
def test_small_places_have_no_share_and_stand_apart(press, exact):
    ranking = content.book(press.writer("IR", "en", exact=exact))["ranking"]
    ranked = [int(row["count"].replace(",", "")) for row in ranking["rows"]]
    small = [int(line.rpartition(" ")[2]) for line in ranking["small"]]
    assert ranked
    assert min(ranked) >= 23
    assert small
    assert max(small) < 23
    assert len(ranked) + len(small) == 31


@pytest.mark.parametrize("place", ["IR", "IR-23"])
def test_the_attached_file_holds_no_share_that_the_paper_leaves_out(press, place):
    questions = press.writer(place, "en")
    book = content.book(questions)
    rows = csv.DictReader(io.StringIO(typesetting.numbers_file(questions.recorded())))
    by = "province" if place == "IR" else "county"
    attached = {(row["metric"], row["member"], row["on"]): row["value"] for row in rows if row["by"] == by}
    names = member_names.fixed(by, "en")
    left_out = {line.partition(":")[0].strip("\u2068\u2069") for line in book["ranking"]["small"]}
    assert left_out
    for ratio, count in (("training_compliance", "trainable_assistants"), ("coverage_per_10k", "active_assistants")):
        sizes = {key[1:]: value for key, value in attached.items() if key[0] == count and value}
        few = {key for key, value in sizes.items() if float(value) < 23}
        assert few
        assert {attached[ratio, *key] for key in few if (ratio, *key) in attached} == {""}
        if ratio == "training_compliance":
            assert left_out <= {names.get(code) for code, _ in few}
    shares = [row["value"] for row in book["ranking"]["rows"]]
    assert all(re.fullmatch("(about )?[0-9]+%|–", share) for share in shares), "whole per cent"


@pytest.mark.parametrize(
    "place", ["IR", *member_names.fixed("province", "en")] if os.environ.get("THOROUGH") else PLACES
)
def test_a_book_for_circulation_has_shares_near_those_of_the_screen(press, place):
    """Those in whole per cent are three points apart at most, as five people of 400 are on both sides."""
    exact, rounded = (press.writer(place, "en", exact=exact) for exact in (True, False))
    for questions in (exact, rounded):
        content.book(questions)
    told = []
    for question, answer in rounded.ask.asked.items():
        if question not in exact.ask.asked or isinstance(answer, dict):
            continue
        of_screen = {row[: len(answer.by)]: row for row in exact.ask.asked[question].rows}
        shares = [
            metric for metric in answer.metrics if metric.unit == "share" and metric.denominator in answer.columns
        ]
        for metric, row in product(shares, answer.rows):
            at, whole = answer.columns.index(metric.name), answer.columns.index(metric.denominator)
            is_open = not counts_people(metric)
            if row[at] is not None and (is_open or row[whole] >= 400):
                told.append((row[at], of_screen[row[: len(answer.by)]][at], is_open))
    assert told
    assert [pair for pair in told if abs(pair[0] - pair[1]) > (0 if pair[2] else 0.03)] == []


@pytest.mark.parametrize("place", ["IR", "IR-23", "IR-10"])
def test_both_editions_have_one_order_and_one_number_of_institutes(press, place):
    exact, rounded = (content.book(press.writer(place, "en", exact=exact)) for exact in (True, False))
    values = [
        int(re.sub(r"\D", "", row["value"]))
        for row in rounded["ranking"]["rows"]
        if row["value"] != "–" and not row["marked"]
    ]
    assert values == sorted(values)
    cards = [{card["label"]: card["value"] for card in book["cards"]} for book in (exact, rounded)]
    assert cards[0]["Licensed institutes"] == cards[1]["Licensed institutes"]

    def institutes(book):
        found = (
            re.match(r"Follow up [0-9,]+ unlicensed institutes?|Renew [0-9,]+ licences?", item["sentence"])
            for item in book["actions"]["items"]
        )
        return {number[0] for number in found if number}

    assert len(institutes(rounded)) == len(institutes(exact))
    assert place == "IR" or not rounded["tables"], "seats to order are people"


def named(book):
    """The names that a briefing singles out in its ranking, its titles and its sentences, without the values.

    Nor with the number of the province beside that of the nation: of few people it does not circulate.
    """
    beside = r"[\w ]+ of [\w ]+: \S+ \(the national average: [^)]*\)\."
    ignored = rf"{beside}|[0-9.,%\u00a0\u2066-\u2069()]+|other|about|\band\b"
    told = [re.sub(ignored, " ", line).split() for line in book["verdict"][2:]]
    marked = {row["name"] for row in book["ranking"]["rows"] if row["marked"]}
    # Without the values, and which groups are too small for a range is decided on the counts that are shown.
    values = r"(, small groups aside)?[:,] [^A-Za-z]*(about )?\d.*"
    titles = [re.sub(values, "", part["title"]) for part in (book["ranking"], book["map"]) if part]
    return marked, titles, told


def test_the_briefing_for_circulation_names_no_province_that_the_exact_one_does_not(press):
    """Of counties it names those of its own counts."""
    exact, rounded = (named(content.book(press.writer("IR", "en", exact=exact))) for exact in (True, False))
    assert rounded[0] <= exact[0]
    # How many they are is counted among those that circulate.
    for ours, theirs in zip(rounded[1:], exact[1:], strict=True):
        told, known = ({*re.findall(r"[^\W\d]+", str(said))} for said in (ours, theirs))
        # A ranking without any share has the name of its measure.
        assert told - {"Training", "compliance", "by", "county"} <= known


@pytest.mark.parametrize("exact", [True, False])
@pytest.mark.parametrize("place", ["IR", "IR-23", "IR-10"])
def test_maps_and_ranking_have_the_titles_of_the_pages(press, place, exact):
    write = press.writer(place, "en", exact=exact)
    made = content.book(write)
    of_map = coverage.by_province if place == "IR" else coverage.by_county
    pages = [make(write.scope, write.ask).title.sentence for make in (of_map, training.by_place)]
    assert (made["map"] or made["halves"][0])["title"] == pages[0]
    # Where no share is left the page has no chart.
    assert made["ranking"]["title"] == pages[1] or not (exact or pages[1])


def test_a_county_of_fewer_than_three_people_is_not_in_a_briefing_for_circulation(press):
    exact, rounded = (press.writer("IR-10", "en", exact=exact) for exact in (True, False))
    few, listed = (
        who_differs(write.scope, write.ask, "training_compliance", "county").column("trainable_assistants")
        for write in (exact, rounded)
    )
    assert min(few) < 3
    assert min(listed) >= 5
    assert all(count % 5 == 0 for count in listed)


def test_a_province_of_fewer_than_three_people_is_on_the_map(press):
    write = press.writer("IR", "en")
    answer = who_differs(write.scope, write.ask, "coverage_per_10k", "province")
    points = boundaries.label_points()
    whole = drawing.province_map(answer, write.context, points)
    without = drawing.province_map(replace(answer, rows=answer.rows[1:]), write.context, points)
    assert without.count("<path d=") == whole.count("<path d=") >= 31


def test_events_and_the_target_path_stand_by_the_trend(press):
    nation, own = (content.book(press.writer(place, "en"))["trend"] for place in ("IR", "IR-11"))
    assert [event["words"].split(": ")[1] for event in nation["events"]] == [
        "National register (register, nationwide)",
        "Provincial training drive (campaign, Sistan and Baluchestan)",
        "Guards on strike (strike, Tehran)",
    ]
    assert [event["number"] for event in nation["events"]] == ["1", "2", "3"]
    assert len(own["events"]) == 2
    assert "below" in nation["path"] or "above" in nation["path"]
    assert own["path"] == ""


def trend_of(questions, rows, has_target, monkeypatch):
    """The trend of a book whose projection has these rows, and that projection."""
    scope, ask = questions.scope, questions.ask.ask
    found, no_path = (analyse_under(scope, ask, name)[0] for name in ("projection", "target_path"))
    names = [*found.columns[:6], *(["target"] if has_target else []), *projection.REACHED]
    metrics = (*found.metrics[:5], *([catalogue()["target"]] if has_target else []))
    found = replace(found, metrics=metrics, columns=tuple(names), rows=rows)
    made_up = {"projection": found, "target_path": replace(no_path, rows=[])}
    for question in [question for question in ask.asked if question.analysis in made_up]:
        ask.asked[question] = made_up[question.analysis]
    monkeypatch.setattr(verdict, "own_target", lambda *_: 1016.0 if has_target else None)
    return content.book(questions)["trend"], found


@pytest.mark.parametrize("has_target", [True, False])
def test_the_trend_says_the_projection_that_growth_says(pointer, monkeypatch, has_target):
    months = [f"{year}-{month:02}" for year in (1405, 1406, 1407, 1408) for month in range(1, 13)]
    more = (1016, "1405-09", "1406-10", "1410-02") if has_target else (None, None, None)
    actual = [(month, 1000, None, None, None, None, *more) for month in months[:6]]
    ahead = [
        (month, None, 1000 - 9 * at, 1000 + 200 * at, 1000 + at, None, *more) for at, month in enumerate(months[6:], 1)
    ]
    # A press of its own: what is put into its answers stays there.
    with writing.press(pointer, ADMINISTRATOR) as press:
        questions = press.writer("IR", "en", exact=True)
        trend, found = trend_of(questions, [*actual, *ahead], has_target, monkeypatch)
    assert trend["title"] == forecast.projection.title(found, ChartContext("en")).sentence
    # Without a target a year ahead: at the end of the picture the range says little.
    said = (
        "Active police assistants: 1,016 projected, Dey 1406 (Azar 1405 to Ordibehesht 1410)"
        if has_target
        else "Active police assistants, projected by Shahrivar 1406: 1,012 (892 to 3,400)"
    )
    assert trend["title"].replace("\u00a0", " ") == said
    assert trend["alt"].replace("\u00a0", " ").endswith(f"{said}.")
    svg = trend["pictures"][0]["svg"]
    ticks = [int(number.replace(",", "")) for number in re.findall(r"text-anchor=\"end\"[^>]*>.?([0-9,]+)\W*<", svg)]
    assert max(ticks) < 1100, "the axis holds the facts and the path, not the far end of the range"
    assert ("Dey\u00a01406" in svg) == has_target, "the month is marked"
    assert text.unit_label(months[-1], "en") in trend["sub"], "no shorter than on the screen"


@pytest.mark.parametrize("lang", ["fa", "en"])
def test_the_order_form_on_paper_speaks_of_what_is_on_paper(press, lang):
    (form,) = content.book(press.writer("IR-23", lang, exact=True))["tables"]
    assert form["title"] == text.word("ahead.order", lang)
    for absent in ("scenario", "point", "شبیه‌سازی", "نقطه"):
        assert absent not in form["sub"]


def test_no_network_is_needed(press, pointer, tmp_path):
    """In a process of its own, without any network where the machine allows that, the same book is written."""
    without = ["unshare", "-rn"]
    if subprocess.run([*without, "true"], capture_output=True).returncode:
        without = []
    words = [sys.executable, "-m", "pages", "brief", "--from", str(pointer), "--to", str(tmp_path / "x.pdf")]
    result = subprocess.run([*without, *words], cwd=ROOT, capture_output=True, text=True)
    assert (result.returncode, result.stderr) == (0, "")
    assert (tmp_path / "x.pdf").read_bytes() == press.pdf(press.writer("IR", "fa"))


def test_the_words_above_a_range_at_the_uppermost_tick_stay_on_the_picture():
    names = ("active_assistants", "projected_low", "projected_high", "projected")
    made_up = made.answer(
        names[0], by=("month",), rows=[("1405-01", 500, 500, 500, 500), ("1405-02", None, 480, 1000, 700)]
    )
    metrics = (made_up.metrics[0], *map(derived, names[1:]))
    answer = replace(made_up, metrics=metrics, columns=("month", *names))
    path = replace(made_up, columns=("month", "planned"), rows=[])
    svg = drawing.trend(answer, ChartContext("en"), None, path, (), 200)
    ((baseline, size),) = re.findall(r'<text[^>]* y="([0-9.]+)"[^>]* font-size="([0-9.]+)"[^>]*>.480 to 1,000', svg)
    assert float(baseline) >= float(size)


def test_a_trend_names_its_range_in_the_languages_order():
    assert "\u2067" in drawing._text(0, 0, "۱ تا ۲", 8, "start", "text", ChartContext("fa"))


def test_a_book_for_circulation_of_a_province_with_few_people_tells_no_share_of_them(press):
    nation = press.writer("IR", "en", exact=True)
    counts = on_day(nation.scope, nation.ask, "active_assistants", by=("province",)).rows
    people, place = max((count, place) for place, count in counts if place and count < 23)
    assert people > 15
    questions = press.writer(place, "en")
    book = content.book(questions)
    cards = {card["label"]: card["value"] for card in book["cards"]}
    assert cards["Training compliance"] == "–"
    assert int(cards["Active police assistants"]) % 5 == 0
    for answer in questions.recorded():
        persons = [
            metric.name
            for metric in answer.metrics
            if metric.counts == "persons" and metric.name in answer.columns and not metric.is_difference
        ]
        assert all(value is None or value % 5 == 0 for name in persons for value in answer.column(name)), persons


def test_the_book_of_a_province_has_the_map_of_its_counties_and_its_compliance_beside_the_nations(press):
    write = press.writer("IR-07", "en", exact=True)
    book = content.book(write)
    counties, compliance = book["halves"]
    assert content.book(press.writer("IR", "en"))["halves"] == []
    for picture in counties["pictures"]:
        assert picture.count("<path d=") >= len(boundaries.counties_of("IR-07"))
    answer = who_differs(write.scope, write.ask, "coverage_per_10k", "county")
    colours = county_maps.painted(answer, write.context).colours
    (far_ahead,) = (row["county"] for row in answer.records() if row["side"] == "far_higher")
    assert colours[far_ahead] == write.context.colour("far_ahead")
    assert all(colour in counties["pictures"][0] for colour in colours.values())
    assert "OpenStreetMap" in counties["credit"]
    for where in (write.scope.filters, ()):
        months = write.ask(Question(("training_compliance",), ("month",), None, write.scope.months(24), where))
        assert text.plain(months.rows[-1][1], "share", "en") in compliance["pictures"][0]
    assert len({*compliance["pictures"]}) == len(content._HALF_HEIGHTS)


def test_a_county_named_without_its_number_is_orange_on_paper(press):
    write = press.writer("IR-23", "en")
    answer = who_differs(write.scope, write.ask, "coverage_per_10k", "county")
    code = answer.rows[0][0]
    columns = answer.columns
    rows = [(code, *(None for _ in columns[1:-1]), "far_lower"), *answer.rows[1:]]
    at = columns.index("whole_value")
    rows[0] = (*rows[0][:at], answer.rows[0][at], *rows[0][at + 1 :])
    paint = county_maps.painted(replace(answer, rows=rows), write.context)
    assert columns[-1] == "side"
    assert paint.colours[code] == write.context.colour("far_behind")
    assert code not in paint.written


@pytest.mark.parametrize("place", ["IR", "IR-23"])
def test_no_table_of_a_book_has_a_column_twice(press, place):
    book = content.book(press.writer(place, "fa"))
    for table in [book["ranking"], *book["tables"]]:
        heads = [head for head in table["heads"] if head]
        assert len({*heads}) == len(heads)
        rows = [[*row["more"]] if isinstance(row, dict) else row[1:] for row in table["rows"]]
        columns = [*zip(*rows, strict=True)] if len(rows) > 3 and isinstance(table["rows"][0], dict) else []
        assert len({*columns}) == len(columns)
