"""Counties of three lists are loaded; a county created since the census of 1395 counts in its parent and keeps its name."""

from __future__ import annotations

from contextlib import redirect_stderr
from io import StringIO

import pytest

from etl.analysis import detail
from etl.cli.commands import main
from etl.core.paths import REFERENCE
from etl.core.places import reference_rows
from etl.semantic import access, answers, rights
from tests.loading import DAY, build_tables, load, national_id, put, put_good, row
from ui.i18n import member_names

LISTS = {
    "counties": ("province_iso", "county_fa"),
    "counties_1402": ("province_iso", "county_fa"),
    "counties_1404": ("province", "name"),
}


def test_every_county_of_the_three_lists_is_loaded(folder):
    named = {
        (line[place], line[name])
        for file, (place, name) in LISTS.items()
        for line in reference_rows(REFERENCE / f"{file}.csv")
    }
    put_good(folder)
    put(
        folder,
        "personnel.csv",
        [
            row("personnel", national_id=national_id(900_000_000 + number), province=province, county=county)
            for number, (province, county) in enumerate(sorted(named))
        ],
    )
    report = load(folder).file("personnel.csv")
    assert (report["rows_loaded"], report["rows_warned"]) == (len(named), 0)
    (note,) = report["notes"]
    words, _, names = note.partition(": ")
    assert words == "rows of counties created since 1395 counted in their parent"
    # All 55 but «سرباز», which is the name of its parent as well.
    assert len(names.split(", ")) == 54
    assert "خمام (1)" in names


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    folder = put_good(tmp_path_factory.mktemp("counties") / "incoming")
    put(folder, "institutes.csv", [row("institutes", province="IR-01", county="خمام")])
    counties = ("رشت", "خمام", "Khomam", "0117", "زرقان آباد")
    put(
        folder,
        "personnel.csv",
        [
            row("personnel", national_id=national_id(900_000_000 + number), province="IR-01", county=county)
            for number, county in enumerate(counties)
        ]
        + [row("personnel", province="IR-11", county="راسک")],
    )
    return build_tables(folder)


def test_people_of_a_newer_county_count_in_its_parent(built):
    assert built.file("personnel.csv")["notes"] == [
        "counties not of their province loaded as unknown: 1",
        "rows of counties created since 1395 counted in their parent: خمام (3)",
    ]
    with access.connect(built.to, rights.ADMINISTRATOR) as con:
        assert dict(answers.ask(con, "active_assistants", by=("county",), on=DAY.replace(year=2023, month=6, day=1)).rows) == {
            "0105": 4, "1108": 1, None: 1,
        }  # fmt: skip


def test_lists_keep_the_county_as_written(built):
    with access.connect(built.to, rights.ADMINISTRATOR) as con:
        (institute,) = detail.institutes(con).values()
        assert (institute.county, institute.county_shown) == ("0105", "خمام")
        assert detail.search({"0001": institute}, "خمام") == detail.search({"0001": institute}, "رشت") == [institute]
        people = detail.people(con, DAY.replace(year=2023, month=6, day=1)).first(10).column("county")
    # Only names of the reference tables are shown: what is unknown could be anything.
    assert sorted(people, key=str) == sorted(["0105", "خمام", "خمام", "خمام", "راسک", None], key=str)
    assert [member_names.of("county", "خمام", lang) for lang in ("fa", "en")] == ["خمام", "Khomam"]


def ask(built, *where: str) -> tuple[int, str]:
    """The exit code of a question about 2023 under filters, and what standard error says."""
    err = StringIO()
    filters = [word for condition in where for word in ("--where", condition)]
    with redirect_stderr(err):
        code = main(["ask", "active_assistants", "--on", "2023-06-01", "--from", str(built.to), *filters])
    return code, err.getvalue()


def test_a_filter_by_a_newer_county_answers_with_its_parent_and_says_so(built, capsys):
    assert ask(built, "county=خمام") == (
        0,
        "خمام counts in county 0105: counties have the boundaries of the census of 1395\n",
    )
    assert capsys.readouterr().out.split() == ["active_assistants", "4"]
    assert ask(built, "county=رشت") == (0, "")
    assert capsys.readouterr().out.split() == ["active_assistants", "4"]
    assert ask(built, "county=ناکجا") == (2, "ask: no county is called 'ناکجا'\n")
