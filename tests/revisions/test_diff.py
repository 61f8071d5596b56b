"""Two publications compared: which numbers changed, by how much, and through which rows, definitions or reference tables."""

from __future__ import annotations

import csv
import io
import json
import shutil
from functools import cache
from pathlib import Path

import pytest

from etl.cli.commands import main
from etl.core.errors import Refused
from etl.revisions import diff, fingerprints
from etl.semantic import access, answers, catalog, resolve, rights
from etl.warehouse import run_models
from tests.loading import build, copy_publication, national_id, put, put_good, row

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def smallest(tmp_path_factory):
    """The folder of the smallest register, next to its publication; tests get copies."""
    folder = put_good(tmp_path_factory.mktemp("smallest") / "incoming")
    publish(folder)
    return folder


@pytest.fixture
def published_sample(publish_sample, tmp_path):
    """The hand-made register, published once; its folder and its pointer."""
    sample = publish_sample()
    return copy_of(sample.folder, sample.pointer, tmp_path)


@pytest.fixture
def published_smallest(smallest, tmp_path):
    """The smallest register, published once; its folder and its pointer."""
    return copy_of(smallest, smallest.parent / "warehouse.duckdb", tmp_path)


@pytest.fixture
def compared_once(monkeypatch):
    """Two publications are compared once in a test, for all the forms of their differences."""
    monkeypatch.setattr(diff, "between", cache(diff.between))


def copy_of(folder: Path, pointer: Path, to: Path) -> tuple[Path, Path]:
    """The source files of a register, and its publication."""
    published, copy = copy_publication(pointer, to), to / "incoming"
    copy.mkdir()
    for path in folder.glob("*.csv"):
        shutil.copy(path, copy)
    return copy, published


def publish(folder: Path) -> Path:
    built = build(folder)
    assert built.code == 0, built.err
    return built.to


def rows_changed(revision: diff.Diff) -> dict[str, tuple[int, int, int]]:
    """Rows new, corrected, removed, by source; sources without a change are left out."""
    changes = {
        entry.source_table: (entry.new_rows, entry.corrected_rows, entry.removed_rows) for entry in revision.rows
    }
    return {table: change for table, change in changes.items() if any(change)}


def national_moves(revision: diff.Diff) -> dict[str, diff.Moved]:
    return {move.metric: move for move in revision.moved if move.province is None}


def change_row(path: Path, key: str, **cells: str) -> None:
    """Write other cells into the row whose first cell is `key`."""
    rows = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"))))
    record = next(row for row in rows if next(iter(row.values())) == key)
    assert any(record[name] != value for name, value in cells.items())
    record.update(cells)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


@pytest.mark.parametrize("scale", [0.001, 1.0, 1000.0])
def test_sums_in_another_order_and_what_is_left_of_them_are_the_same_number(scale):
    """A gap of 0 is the rest of sums as large as a register: 7.3e-12 was listed as a change."""
    parts = [scale / (1 + at) for at in range(31)]
    forth, back = sum(parts), sum(reversed(parts))
    assert forth != back
    for before, after in ((forth, back), (forth - forth, back - forth), (0.0, 7.275957614183426e-12)):
        assert diff.is_same(before, after)
    for before, after in ((0.0, 1e-6), (0.00279, 0.00279001), (85_958_374.0, 85_958_375.0), (None, 0.0)):
        assert not diff.is_same(before, after)


def test_rows_in_another_order_format_and_spelling_are_the_same_rows_and_change_no_number(
    published_sample, compared_once, capsys
):
    folder, to = published_sample
    path = folder / "personnel.csv"
    head, *lines = path.read_text(encoding="utf-8-sig").splitlines()
    path.unlink()
    put(folder, "personnel_z.tsv", "\n".join([head, *reversed(lines)]).replace(",", "\t").replace("ی", "ي"))
    publish(folder)
    revision = diff.between(to)
    assert (revision.moved, revision.definitions, revision.references, rows_changed(revision)) == ((), (), (), {})
    assert main(["diff", "--from", str(to)]) == 0
    assert "no number changed" in capsys.readouterr().out


def test_corrected_new_and_removed_rows_are_distinguished(published_sample):
    folder, to = published_sample
    change_row(folder / "institutes.csv", "001", smart_services="no")
    publish(folder)
    revision = diff.between(to)
    assert rows_changed(revision) == {"institutes": (0, 1, 0)}
    moved = national_moves(revision)
    assert (moved["smart_service_share"].before, moved["smart_service_share"].after) == (0.5, 0.0)
    assert moved["smart_service_share"].causes == ("corrected_rows",)
    assert "training_compliance" not in moved
    assert {move.province for move in revision.moved if move.metric == "smart_service_share"} == {None, "IR-23"}


def test_a_rate_that_stays_provisional_is_compared_on_the_day_that_was_settled(published_sample, compared_once, capsys):
    folder, to = published_sample
    spells = [(21, "1402/09/30"), (22, "1403/06/25")]
    rows = [
        row("personnel", national_id=national_id(at), institute_code="001", hired_on="1402/01/15", left_on=left)
        for at, left in spells
    ]
    put(folder, "personnel_2.csv", rows)
    publish(folder)
    revision = diff.between(to)
    rates = {move.province: move for move in revision.moved if move.metric == "leaver_rate_12m"}
    with access.connect(to, rights.ADMINISTRATOR) as con:
        settled = resolve.settled_on(con, "leaver_rate_12m", revision.day)
        assert settled is not None
        assert settled < revision.day
        provisional = answers.ask(con, "leaver_rate_12m", on=revision.day).value()
        for province, move in rates.items():
            where = {"province": [province]} if province else {}
            assert move.settled == settled
            assert move.after == answers.ask(con, "leaver_rate_12m", on=settled, where=where).value(), province
    assert rates[None].after != provisional, "a departure of the last 90 days is no revision of a settled rate"
    assert {move.settled for move in revision.moved if move.metric in ("in_service", "leavers")} == {None}
    assert main(["diff", "--from", str(to)]) == 0
    assert f"leaver_rate_12m: measured on {settled.isoformat()}" in capsys.readouterr().out
    assert main(["diff", "--from", str(to), "--format", "csv"]) == 0
    assert capsys.readouterr().out.splitlines()[0] == "metric,province,before,after,change,causes"


def test_new_and_removed_rows_are_counted_and_move_their_numbers(published_sample):
    folder, to = published_sample
    text = (folder / "training.csv").read_text(encoding="utf-8-sig").splitlines()
    # Zahra's only course.
    lines = [line for line in text if not line.startswith("9990002029,base")]
    assert len(lines) == len(text) - 2, "one of them was submitted twice"
    (folder / "training.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    publish(folder)
    forward, back = diff.between(to), diff.between(to, "000002", "000001")
    assert (rows_changed(forward), rows_changed(back)) == ({"training": (0, 0, 1)}, {"training": (1, 0, 0)})
    moved = national_moves(forward)
    assert moved
    assert all(move.causes == ("removed_rows",) for move in moved.values())
    assert {name: move.change for name, move in national_moves(back).items() if move.change} == {
        name: -move.change for name, move in moved.items() if move.change
    }


def test_two_loads_of_which_one_corrects_twenty_rows(published_smallest, compared_once, capsys):
    """Twenty leavers had been submitted as in service; the numbers of a province and the nation change by twenty."""
    folder, to = published_smallest
    people = [
        row("personnel", national_id=national_id(100 + number), province="IR-01" if number < 30 else "IR-02")
        for number in range(60)
    ]
    put(folder, "personnel_2.csv", people)
    publish(folder)
    for person in people[5:25]:
        person["left_on"] = "1402/03/25"
    put(folder, "personnel_2.csv", people)
    publish(folder)
    revision = diff.between(to)
    assert rows_changed(revision) == {"personnel": (0, 20, 0)}
    moved = {
        (move.metric, move.province): (move.before, move.after, move.change, move.causes) for move in revision.moved
    }
    assert moved["in_service", None] == (61, 41, -20, ("corrected_rows",))
    assert moved["in_service", "IR-01"] == (30, 10, -20, ("corrected_rows",))
    assert ("in_service", "IR-02") not in moved
    assert moved["active_assistants", None] == (61, 41, -20, ("corrected_rows",))
    assert "applications" not in {metric for metric, _ in moved}
    capsys.readouterr()
    assert main(["diff", "--from", str(to)]) == 0
    output = capsys.readouterr().out.splitlines()
    assert output[0].startswith("000002 to 000003, as of ")
    assert "personnel: 0 new rows, 20 corrected rows, 0 removed rows" in output
    assert any(line.split() == ["in_service", "IR-01", "30", "10", "-20", "corrected_rows"] for line in output)
    assert main(["diff", "--from", str(to), "--format", "json"]) == 0
    asjson = json.loads(capsys.readouterr().out)
    assert {
        "metric": "in_service",
        "province": "",
        "before": 61,
        "after": 41,
        "change": -20,
        "causes": "corrected_rows",
    } in asjson
    assert main(["diff", "000003", "000002", "--from", str(to), "--format", "csv"]) == 0
    back = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert len(back) == len(asjson) == len(revision.moved)
    # The log lists every step, the latest first.
    log = [entry for entry in diff.history(to) if (entry["metric"], entry["province"]) == ("in_service", None)]
    assert [
        (entry["old"], entry["new"], entry["before"], entry["after"], entry["change"], entry["causes"]) for entry in log
    ] == [
        ("000002", "000003", 61, 41, -20, ("corrected_rows",)),
        ("000001", "000002", 1, 61, 60, ("new_rows",)),
    ]


def test_a_day_of_birth_a_score_and_a_name_are_content_too(published_smallest):
    folder, to = published_smallest
    put(folder, "personnel.csv", [row("personnel", birth_date="1370/05/06", first_name="x", last_name="y")])
    put(folder, "training.csv", [row("training", score="")])
    put(folder, "institutes.csv", [row("institutes", name="نگهبان شمال")])
    publish(folder)
    revision = diff.between(to)
    assert rows_changed(revision) == {"institutes": (0, 1, 0), "personnel": (0, 1, 0), "training": (0, 1, 0)}
    assert not {"in_service", "licensed_institutes", "training_compliance"} & national_moves(revision).keys()


def test_time_that_passes_is_no_revision(published_smallest):
    """New rows move the as-of day; both are measured on the earlier day, on which nothing changed."""
    folder, to = published_smallest
    put(folder, "personnel_2.csv", [row("personnel", national_id=national_id(8), hired_on="1402/08/01")])
    publish(folder)
    revision = diff.between(to)
    assert revision.as_of[0] < revision.as_of[1]
    assert revision.day == revision.as_of[0]
    assert rows_changed(revision) == {"personnel": (1, 0, 0)}
    assert not {"in_service", "active_assistants", "joiners"} & national_moves(revision).keys()


def test_a_changed_reference_table_is_a_cause_of_its_own(published_sample):
    folder, to = published_sample
    text = (folder / "targets.csv").read_text(encoding="utf-8-sig")
    (folder / "targets.csv").write_text(text.replace("12", "10", 1), encoding="utf-8")
    publish(folder)
    revision = diff.between(to)
    assert (revision.references, revision.definitions, rows_changed(revision)) == (("targets",), (), {})
    assert national_moves(revision)["target_progress"].causes == ("changed_reference",)
    assert all("changed_reference" in move.causes for move in revision.moved)


def test_a_changed_definition_shows_the_number_as_it_was_published(published_sample, monkeypatch):
    folder, to = published_sample
    before = value_kept(to, "judicial_officers")
    entries = {**catalog.entries()["metric"]["judicial_officers"]}
    assert entries["where"] == "is_licensed and is_judicial_officer"
    entries["where"] = "is_licensed"
    entries.pop("rollup_column", None)  # otherwise the total by the old definition would be read
    redefine(monkeypatch, "judicial_officers", entries)
    publish(folder)
    revision = diff.between(to)
    assert revision.definitions == ("judicial_officers",)
    move = national_moves(revision)["judicial_officers"]
    assert (move.before, move.after, move.causes) == (
        before,
        value_kept(to, "judicial_officers"),
        ("changed_definition",),
    )
    assert move.before != move.after
    # Metrics made of it are redefined with it; others are not.
    assert national_moves(revision)["judicial_officer_share"].causes == ("changed_definition",)
    assert {move.metric for move in revision.moved} <= {
        name for name in catalog.catalogue() if diff._is_redefined(name, revision.definitions)
    }


def redefine(patch: pytest.MonkeyPatch, name: str, entry: dict) -> None:
    every = {**catalog.entries()}
    every["metric"] = {**every["metric"], name: entry}
    patch.setattr(catalog, "entries", lambda: every)
    for cached in (catalog.catalogue, catalog.tables):
        cached.cache_clear()


@pytest.fixture(autouse=True)
def definitions_as_they_were():
    yield
    for cached in (catalog.catalogue, catalog.tables):
        cached.cache_clear()


def value_kept(pointer: Path, metric: str) -> float:
    with access.connect(pointer, rights.ADMINISTRATOR) as con:
        sql = "select value from published_numbers where metric = $metric and province is null"
        return con.execute(sql, {"metric": metric}).fetchall()[0][0]


def test_the_numbers_kept_are_the_numbers_asked_for(published_sample):
    _, to = published_sample
    with access.connect(to, rights.ADMINISTRATOR) as con:
        stored = {(name, place): value for name, place, value in con.execute("from published_numbers").fetchall()}
        for name, metric in catalog.catalogue().items():
            if metric.hidden:
                continue
            value_asked = answers.ask(con, name).value()
            assert (
                (stored.get((name, None)) == value_asked)
                if isinstance(value_asked, float | int)
                else (name, None) not in stored
            ), name
            if "province" in metric.dimensions:
                answer = answers.ask(con, name, by=("province",))
                for province, value in zip(answer.column("province"), answer.column(name), strict=True):
                    if province and isinstance(value, float | int):
                        assert stored[name, province] == pytest.approx(value), (name, province)


def test_words_do_not_make_another_definition_but_models_do(monkeypatch):
    before = fingerprints._digests()
    entry = {
        **catalog.entries()["metric"]["in_service"],
        "label": {"fa": "x", "en": "y"},
        "description": {"fa": "", "en": ""},
    }
    redefine(monkeypatch, "in_service", entry)
    assert fingerprints._digests() == before
    monkeypatch.undo()
    models = {**run_models.models(), "spells": run_models.models()["spells"] + " where true"}
    fingerprints._sql_behind.cache_clear()
    monkeypatch.setattr(run_models, "models", lambda: models)
    changed = {name for name, digest in fingerprints._digests().items() if before[name] != digest}
    fingerprints._sql_behind.cache_clear()
    assert {"in_service", "active_assistants", "joiners", "compliant_assistants"} <= changed
    assert not {"applications", "licensed_institutes"} & changed


def test_every_metric_depends_on_some_source():
    for name in catalog.catalogue():
        assert catalog.sources_of(name), name
    assert catalog.sources_of("in_service") >= {"personnel", "institutes"}
    assert "training" not in catalog.sources_of("in_service")
    assert catalog.sources_of("training_compliance") >= {"personnel", "training", "courses"}


def test_row_fingerprints_cannot_be_reversed_without_the_key(published_smallest, monkeypatch):
    folder, to = published_smallest

    def marks() -> set[tuple]:
        with access.connect(to, rights.ADMINISTRATOR) as con:
            return set(
                con.execute(
                    "select source_table, key_fingerprint, content_fingerprint from row_fingerprints"
                ).fetchall()
            )

    ours = marks()
    monkeypatch.setenv("IDENTITY_KEY", "another key of this house, as long as it must be")
    assert build(folder, "--new-identity").code == 0
    theirs = marks()
    assert len(ours) == len(theirs) == 4
    assert not {mark for row in ours for mark in row[1:]} & {mark for row in theirs for mark in row[1:]}
    with pytest.raises(Refused, match="under different keys"):
        diff.between(to)
    assert diff.history(to) == []


def test_publications_that_do_not_exist_cannot_be_compared(published_smallest, capsys):
    _, to = published_smallest
    for words in ([], ["000007"], ["000001", "000009"]):
        capsys.readouterr()
        assert main(["diff", *words, "--from", str(to)]) == 1
        assert capsys.readouterr().err.count("\n") == 1
