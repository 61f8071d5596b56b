"""A province that the ledger has behind the others is marked wherever its value stands, and one clause says why."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from etl.semantic.access import ScopedCursor, cursor_for
from etl.semantic.rights import ADMINISTRATOR
from etl.warehouse import publications
from tests.made import named
from tests.ui.test_claims import scoped
from ui.briefing import content
from ui.briefing.writer import Writer
from ui.data.ask import LATE, Ask, Kept, On, Rounded
from ui.exhibits.exhibit import Exhibit
from ui.i18n import member_names, text

pytestmark = pytest.mark.slow

CODE, MONTH = "IR-23", "1405-02"


@pytest.fixture(scope="module")
def con(small_register: Path) -> Iterator[ScopedCursor]:
    with publications.connect(small_register) as whole, cursor_for(whole, ADMINISTRATOR) as cursor:
        yield cursor


def said(exhibit: Exhibit) -> str:
    """Title, sentences, labels and notes of an exhibit, and the names of its rows."""
    drawn = str(exhibit.drawn()[0]) if hasattr(exhibit.form, "chart") else ""
    context = exhibit.context()
    rows = [context.member("province", row[0]) for row in exhibit.answer.rows] if exhibit.answer else []
    return " ".join([*(one.words for one in exhibit.stated), drawn, *rows, *exhibit.own_notes, *exhibit.notes])


@pytest.mark.parametrize("lang", text.LANGUAGES)
@pytest.mark.parametrize("circulates", [False, True])
@pytest.mark.parametrize(
    "address", ["overview/glance", "training/by_province", "training/by_place", "coverage/by_place"]
)
def test_map_ranking_and_table_mark_it_and_say_why(
    address: str, circulates: bool, lang: str, con: ScopedCursor
) -> None:
    sign = f"{member_names.of('province', CODE, lang)}{LATE}"
    clause = text.word(
        "figure.not_arrived", lang, sign=LATE, month=text.unit_label(MONTH, lang), places=sign.removesuffix(LATE)
    )
    for behind in ({}, {CODE: MONTH}):
        exactly = Kept(On(con, behind=behind))
        ask: Ask = Rounded(exactly) if circulates else exactly
        words = said(named(address, scoped({}, lang, con.publication.as_of)).exhibit(ask))
        assert (sign in words, clause in words) == (bool(behind), bool(behind))


@pytest.mark.parametrize("lang", text.LANGUAGES)
def test_the_short_name_on_a_map_has_the_sign(lang: str, con: ScopedCursor) -> None:
    short = member_names.short("IR-04", lang)
    assert short != member_names.of("province", "IR-04", lang)
    scope = scoped({}, lang, con.publication.as_of)
    for behind in ({}, {"IR-04": MONTH}):
        drawn = named("training/by_province", scope).exhibit(Kept(On(con, behind=behind))).drawn()[0]
        assert (f"{short}{LATE}" in str(drawn)) == bool(behind)


@pytest.mark.parametrize("lang", text.LANGUAGES)
def test_sentence_and_paper_mark_it(lang: str, con: ScopedCursor, small_register: Path) -> None:
    for behind in ({}, {CODE: MONTH}):
        ask = Kept(On(con, behind=behind))
        scope = scoped({"province": (CODE,)}, lang, con.publication.as_of)
        sentences = named("training/findings", scope).exhibit(ask).sentences
        book = content.book(Writer(scope, Kept(ask), small_register))
        sign, month = f"{member_names.of('province', CODE, lang)}{LATE}", text.unit_label(MONTH, lang)
        clause = text.word("figure.not_arrived", lang, sign=LATE, month=month, places=sign.removesuffix(LATE))
        for words in (" ".join(sentences), " ".join(book["method"]["lines"])):
            assert (LATE in words, clause in words) == (bool(behind), bool(behind))
    nation = content.book(Writer(scoped({}, lang, con.publication.as_of), Kept(ask), small_register))
    sign = f"{member_names.of('province', CODE, lang)}{LATE}"
    assert any(row[0] == sign for row in nation["tables"][0]["rows"])
    assert any(row["name"] == sign for row in nation["ranking"]["rows"])
