"""A build by hand: the row of the province that registered a key stays, and the other one goes back, in all four tables."""

from __future__ import annotations

import shutil

import pytest

from etl.extract.contract import TABLES
from tests.loading import build, load, national_id, put, row

FARS, ISFAHAN = ("IR-07", "f"), ("IR-10", "i")
OTHER = {
    "institutes": {"name": "نامی دیگر"},
    "licences": {"licence_no": "99"},
    "personnel": {"post": "operator"},
    "training": {"score": "1"},
}


def rows_of(province: str, letter: str) -> dict[str, list[dict[str, str]]]:
    """The rows of a province, one of each table and a few more, so that its files are known to be its own."""
    first = {"f": 100, "i": 200}[letter]
    return {
        "institutes": [row("institutes", institute_code=f"{letter}{at}", province=province) for at in range(4)],
        "licences": [
            row("licences", application_no=f"{letter}{at}", institute_code=f"{letter}{at}") for at in range(4)
        ],
        "personnel": [
            row("personnel", national_id=national_id(first + at), institute_code=f"{letter}{at}", province=province)
            for at in range(4)
        ],
        "training": [row("training", national_id=national_id(first + at)) for at in range(4)],
    }


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """The publication of both provinces before one of them writes rows of the other."""
    folder = tmp_path_factory.mktemp("published")
    for province, letter in (FARS, ISFAHAN):
        for table, rows in rows_of(province, letter).items():
            put(folder / "in", f"{table}_{province}.csv", rows)
    built = build(folder / "in")
    assert built.code == 0, built.err
    return folder


@pytest.fixture
def folder(both, tmp_path):
    """A copy of it: what tests publish holds no models."""
    return shutil.copytree(both, tmp_path / "copy", symlinks=True) / "in"


@pytest.mark.parametrize("table", TABLES)
def test_a_row_of_a_key_of_another_province_goes_back_and_that_ones_row_stays(folder, table):
    mine = rows_of(*ISFAHAN)[table][0] | OTHER[table]
    put(folder, f"{table}_IR-07.csv", [*rows_of(*FARS)[table], mine])
    built = load(folder)
    assert built.rejected_rows() == [(f"{table}_IR-07.csv", 6, next(iter(mine)), "not_yours")]
    assert built.counts(f"{table}_IR-10.csv") == (4, 4, 0, 0)


def test_an_institute_that_its_province_does_not_name_any_more_may_be_registered_by_another(folder):
    *rest, moved = rows_of(*ISFAHAN)["institutes"]
    for table in ("licences", "personnel", "training"):
        put(folder, f"{table}_IR-10.csv", rows_of(*ISFAHAN)[table][:3])
    put(folder, "institutes_IR-10.csv", rest)
    put(folder, "institutes_IR-07.csv", [*rows_of(*FARS)["institutes"], moved | {"province": "IR-07"}])
    assert load(folder).counts("institutes_IR-07.csv") == (5, 5, 0, 0)
