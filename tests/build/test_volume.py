"""An incomplete load is refused, by table, province and file; every refusal is reported; `check` publishes nothing."""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from etl.analysis import data_quality
from etl.build import pipeline, staging, volume
from etl.extract.causes import persian_digits
from etl.extract.contract import TABLES
from etl.semantic import access, rights
from etl.warehouse import publications
from tests.loading import (
    DAY,
    HEADERS,
    Built,
    StreamedRows,
    WarmPool,
    build,
    copy_publication,
    load,
    national_id,
    put,
    put_good,
    row,
    without_models,
)

pytestmark = pytest.mark.slow

PLACES = {"IR-23": "تهران", "IR-01": "گیلان"}
PER_PLACE = 120


def register(per_place: int = PER_PLACE) -> dict[str, StreamedRows]:
    """Two provinces with as many institutes, licences, people and courses each; each row knows its province."""
    rows: dict[str, StreamedRows] = {table: [] for table in HEADERS}
    for at, (place, name) in enumerate(PLACES.items()):
        for number in range(at * 1000, at * 1000 + per_place):
            code, person = f"{number:05}", national_id(number + 5000)
            rows["institutes"].append(row("institutes", institute_code=code, province=name))
            rows["licences"].append(row("licences", institute_code=code, application_no=f"L{number}"))
            rows["personnel"].append(row("personnel", institute_code=code, national_id=person, province=place))
            rows["training"].append(row("training", national_id=person))
    return rows


def hand_in(folder: Path, rows: dict[str, StreamedRows], by_province: bool = False) -> Path:
    for table, of_table in rows.items():
        if not by_province:
            put(folder, f"{table}.csv", of_table)
            continue
        half = len(of_table) // 2
        for place, part in zip(PLACES, (of_table[:half], of_table[half:]), strict=True):
            put(folder, f"{table}_{place}.csv", part)
    return folder


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that is published, province by province; tests get copies of it."""
    folder = hand_in(tmp_path_factory.mktemp("published") / "incoming", register(), by_province=True)
    assert load(folder, accept_loss=False).code == 0
    return folder


@pytest.fixture
def folder(published: Path, tmp_path: Path) -> Path:
    """A folder that is published."""
    copy_publication(published.parent / "warehouse.duckdb", tmp_path)
    return Path(shutil.copytree(published, tmp_path / "incoming"))


def refusals_of_load(folder: Path, *options: str) -> list[str]:
    """The lines of the refusal; the last publication is unchanged."""
    outcome = load(folder, *options, accept_loss=False)
    assert outcome.to.resolve().stem == "000001"
    return outcome.refusals


def test_rows_are_kept_by_table_and_province(published):
    last = publications.comparable(published.parent / "warehouse.duckdb")
    assert publications.rows_of(last, "from load_rows") == [
        (table, place, PER_PLACE)
        for table in ("institutes", "licences", "personnel", "training")
        for place in sorted(PLACES)
    ]


def lacking(built: Built) -> dict[str, tuple[str, ...]]:
    """The tables that the provinces of PLACES have not submitted."""
    with access.connect(built.to, rights.ADMINISTRATOR) as con:
        missing = data_quality.missing_sources(con)
    assert len(missing) >= 31 - len(PLACES)
    return {place: tables for place, tables in missing.items() if place in PLACES}


@pytest.mark.parametrize("most", [1.0, 0.6])
def test_a_file_is_that_of_the_province_of_most_of_its_rows(tmp_path, monkeypatch, most):
    """Wherever in the file they are, and also where only some of its rows are looked at."""
    monkeypatch.setattr(staging, "_ROWS_FOR_PROVINCE", 60)
    rows = register()
    of_first = rows["personnel"][:PER_PLACE]
    others = rows["personnel"][PER_PLACE:][: round(PER_PLACE * (1 / most - 1))]
    built = load(hand_in(tmp_path / "incoming", rows | {"personnel": [*others, *of_first]}))
    assert built.sql("select province from load_files where source_table = 'personnel'") == [("IR-23",)]


def test_a_file_of_each_table_is_of_the_province_of_its_rows(tmp_path):
    """Licences by their institutes, courses by the persons."""
    for table, rows in register().items():
        put(tmp_path / "incoming", f"{table}_1.csv", rows[:PER_PLACE])
        put(tmp_path / "incoming", f"{table}_2.csv", rows[PER_PLACE:])
    files = [(f"{table}_{number}.csv", place) for table in sorted(TABLES) for number, place in enumerate(PLACES, 1)]
    assert load(tmp_path / "incoming").sql("select file, province from load_files order by 1") == files


def test_a_file_of_several_provinces_is_of_none_of_them_and_all_have_submitted(tmp_path, monkeypatch):
    monkeypatch.setattr(staging, "_ROWS_FOR_PROVINCE", 60)
    folder = hand_in(tmp_path / "incoming", register())
    put(folder, "institutes_bad.csv", [row("institutes", institute_code=str(at), activity="?") for at in range(2)])
    built = load(folder)
    files = [(f"{table}.csv", None) for table in sorted(TABLES)]
    assert built.sql("select file, province from load_files where file not like '%bad%' order by 1") == files
    assert lacking(built) == {}


def test_a_province_that_has_not_submitted_a_table_lacks_it_although_others_name_it(folder):
    """A course of a person who first served elsewhere counts to that province's rows."""
    (folder / "training_IR-01.csv").unlink()
    moved = [row("training", national_id=national_id(at + 6000)) for at in range(5)]
    put(folder, "training_IR-23.csv", [*register()["training"][:PER_PLACE], *moved])
    assert lacking(load(folder)) == {"IR-01": ("training",)}


# Without its institutes or its personnel, other tables lose the rows that refer to them.
@pytest.mark.parametrize(
    "missing",
    [{"institutes": "absent"}, {"personnel": "header only"}, {"licences": "absent", "training": "header only"}],
)
def test_a_missing_table_is_refused(folder, missing):
    for table, how in missing.items():
        for place in PLACES:
            if how == "absent":
                (folder / f"{table}_{place}.csv").unlink()
            else:
                put(folder, f"{table}_{place}.csv", [])
    losses = [f"{table}: no rows loaded where the last publication has 240" for table in missing]
    assert {f"{loss}; submit its files" for loss in losses} <= set(refusals_of_load(folder))
    if len(missing) == 1:
        return
    accepted = load(folder)
    assert accepted.code == 0
    for loss in losses:
        assert any(line.startswith(f"{loss} · ") for line in accepted.report["accepted"])
        assert f"accepted: {loss} · " in accepted.out


def test_without_an_earlier_publication_a_table_without_rows_is_refused_too(tmp_path):
    """Whether its file is absent or holds a header only."""
    folder = put_good(tmp_path / "incoming")
    (folder / "licences.csv").unlink()
    put(folder, "training.csv", [])
    outcome = load(folder, accept_loss=False)
    assert outcome.refusals == [f"{table}: no rows loaded; submit its files" for table in ("licences", "training")]
    assert not os.path.lexists(outcome.to)


def test_a_table_without_a_file_is_named_beside_a_file_that_cannot_be_read(tmp_path):
    """The rows of licences refer to institutes: of a file that is there, only the institutes are reported."""
    folder = put_good(tmp_path / "incoming")
    put(folder, "institutes.csv", b"")
    (folder / "licences.csv").unlink()
    lines = load(folder, accept_loss=False).refusals
    assert [line.partition(":")[0] for line in lines] == ["institutes.csv", "licences"]


@pytest.mark.parametrize(
    ("tables", "place"), [(["institutes"], "IR-23"), (["personnel"], "IR-23"), (["licences", "training"], "IR-01")]
)
def test_a_missing_province_of_a_table_is_refused(folder, tables, place):
    names = {"IR-23": "Tehran", "IR-01": "Gilan"}
    for table in tables:
        (folder / f"{table}_{place}.csv").unlink()
    refusals = refusals_of_load(folder)
    for table in tables:
        refusal = f"{table}, {place} {names[place]}: 0 rows loaded where the last publication has 120"
        assert f"{refusal}; submit its file" in refusals
    if place == "IR-01":
        assert load(folder).code == 0
        assert load(folder, accept_loss=False).code == 0, "the next load is compared with the accepted one"


def test_fewer_than_half_of_the_rows_are_a_loss_and_half_are_not(folder):
    training = register()["training"]
    put(folder, "training_IR-01.csv", training[PER_PLACE : PER_PLACE + 59])
    assert refusals_of_load(folder) == [
        "training, IR-01 Gilan: 59 rows loaded where the last publication has 120; submit the rows that are missing"
    ]
    put(folder, "training_IR-23.csv", training[:59])
    put(folder, "training_IR-01.csv", training[PER_PLACE : PER_PLACE + 60])
    assert refusals_of_load(folder) == [
        "training: 119 rows loaded where the last publication has 240; submit the rows that are missing"
    ]
    put(folder, "training_IR-23.csv", training[:60])
    assert load(folder, accept_loss=False).code == 0


def test_a_table_is_compared_from_a_hundred_rows_on_and_a_province_without_any_row_is_lost_at_any_size(tmp_path):
    """Of fewer, one row of each province is enough."""
    folder, rows = tmp_path / "incoming", register(50)
    rows["licences"] = rows["licences"][1:-1]
    assert load(hand_in(folder, rows), accept_loss=False).code == 0
    put(folder, "licences.csv", [rows["licences"][0], rows["licences"][-1]])
    put(folder, "training.csv", rows["training"][:49])
    assert refusals_of_load(folder) == [
        "training: 49 rows loaded where the last publication has 100; submit the rows that are missing"
    ]
    put(folder, "licences.csv", rows["licences"][:49])
    put(folder, "training.csv", rows["training"])
    refusal = "licences, IR-01 Gilan: 0 rows loaded where the last publication has 49"
    assert refusals_of_load(folder) == [f"{refusal}; submit its file"]


def test_many_provinces_of_a_table_share_a_line(tmp_path):
    codes = ["IR-00", "IR-01", "IR-02", "IR-03", "IR-04", "IR-05", "IR-06"]
    rows: dict[str, StreamedRows] = {table: [row(table)] for table in HEADERS}
    for number, code in enumerate(codes):
        person = national_id(number + 5000)
        rows["personnel"].append(row("personnel", national_id=person, province=code))
        rows["training"].append(row("training", national_id=person))
    assert load(hand_in(tmp_path / "incoming", rows), accept_loss=False).code == 0
    hand_in(tmp_path / "incoming", rows | {"training": rows["training"][:1]})
    assert refusals_of_load(tmp_path / "incoming") == [
        "training: less than half of the rows of the last publication (in brackets): IR-00 Markazi 0 (1), "
        "IR-01 Gilan 0 (1), IR-02 Mazandaran 0 (1), IR-03 East Azerbaijan 0 (1), IR-04 West Azerbaijan 0 (1), and 2 more; "
        "submit its file"
    ]


# ------------------------------------------------------------------ what cannot be compared with


def spoil(pointer: Path, how: str, version: Path | None = None) -> None:
    version = version or pointer.resolve()
    if how == "damaged":
        content = bytearray(version.read_bytes())
        content[100] ^= 255
        version.write_bytes(content)
    elif how == "missing":
        version.unlink()
    else:
        pointer.unlink()
        pointer.symlink_to(Path(f"{pointer.name}.publications") / "000009.duckdb")


@pytest.fixture(scope="module")
def published_twice(published: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pointer of a second publication, with ten courses less of one province; tests get copies of it."""
    base = tmp_path_factory.mktemp("published_twice")
    copy_publication(published.parent / "warehouse.duckdb", base)
    folder = Path(shutil.copytree(published, base / "incoming"))
    put(folder, "training_IR-01.csv", register()["training"][PER_PLACE:-10])
    built = load(folder, accept_loss=False)
    assert built.code == 0
    return built.to


@pytest.mark.parametrize("how", ["damaged", "missing", "dangling"])
def test_where_the_shown_publication_cannot_be_read_the_newest_kept_one_is_compared_with(folder, published_twice, how):
    spoil(copy_publication(published_twice, folder.parent / "twice"), how)
    put(folder, "training_IR-01.csv", register()["training"][-30:])
    rows = 110 if how == "dangling" else 120
    assert load(folder, to=folder.parent / "twice" / "warehouse.duckdb", accept_loss=False).refusals == [
        f"training, IR-01 Gilan: 30 rows loaded where the last publication has {rows}; submit the rows that are missing"
    ]


@pytest.mark.parametrize("how", ["damaged", "missing", "dangling"])
def test_where_no_publication_can_be_read_a_build_is_refused_unless_losses_are_accepted(folder, published_twice, how):
    to = copy_publication(published_twice, folder.parent / "twice")
    for version in publications.versions(to):
        spoil(to, "damaged", version)
    if how != "damaged":
        spoil(to, how)
    refusal = "none of the publications kept can be read, so nothing tells whether rows are lost"
    assert load(folder, to=to, accept_loss=False).refusals == [f"{to}: {refusal}; put it back from a backup"]
    if how == "damaged":
        accepted = load(folder, to=to)
        assert accepted.code == 0
        assert accepted.report["accepted"][0].startswith(f"{to}: {refusal} · ")
        assert load(folder, to=to, accept_loss=False).code == 0


# ------------------------------------------------------------------ the same rows with another content


@pytest.fixture(scope="module")
def counted(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The same two provinces and the people of `few`, published with numbers; tests get copies."""
    folder = hand_in(tmp_path_factory.mktemp("counted") / "incoming", register(), by_province=True)
    put(folder, "personnel_few.csv", few())
    built = build(folder, accept_loss=False)
    assert built.code == 0
    return built


@pytest.fixture
def folder_counted(counted: Built, tmp_path: Path) -> Path:
    copy_publication(counted.to, tmp_path)
    return Path(shutil.copytree(counted.to.with_name("incoming"), tmp_path / "incoming"))


def few() -> StreamedRows:
    """The people of three further provinces, 22 and 23 each."""
    return [
        row("personnel", institute_code="01000", national_id=national_id(at), province=place)
        for place, (first, count) in {"IR-04": (9100, 22), "IR-02": (9200, 23), "IR-03": (9300, 23)}.items()
        for at in range(first, first + count)
    ]


def test_people_and_licences_that_fall_by_half_are_refused_although_every_row_is_there(folder_counted):
    """Of 22 people of a province all may leave, of 23 not more than half."""
    folder, rows = folder_counted, register()
    refused = [line | {"outcome": "refused", "valid_from": "", "valid_until": ""} for line in rows["licences"]]
    put(folder, "licences_IR-23.csv", refused[:PER_PLACE])
    left = [line | {"left_on": "1402/03/20"} for line in rows["personnel"]]
    put(folder, "personnel_IR-01.csv", left[PER_PLACE:-11] + rows["personnel"][-11:])
    leavers = {national_id(at) for at in (*range(9100, 9122), *range(9200, 9211), *range(9300, 9312))}
    put(
        folder,
        "personnel_few.csv",
        [line | {"left_on": "1402/03/20"} if line["national_id"] in leavers else line for line in few()],
    )
    check = "check the outcomes, the days of validity and the last days of service in these files"
    fell = "less than half of the last publication (in brackets)"
    outcome = build(folder, accept_loss=False)
    assert outcome.to.resolve().stem == "000001"
    assert outcome.refusals == [
        f"Active police assistants: {fell}: the nation 34 (308), IR-01 Gilan 11 (120), IR-03 East Azerbaijan 11 (23), "
        f"IR-23 Tehran 0 (120); {check}",
        f"All in service, lapsed licences included: {fell}: IR-01 Gilan 11 (120), IR-03 East Azerbaijan 11 (23); {check}",
        f"Licensed institutes: {fell}: IR-23 Tehran 0 (120); {check}",
    ]
    accepted = build(folder)
    assert (accepted.code, len(accepted.report["accepted"])) == (0, 3)
    assert build(folder, accept_loss=False).code == 0


def test_a_refusal_names_the_provinces_that_it_is_about(counted, monkeypatch):
    """And has a part of each, where they share a line."""
    version = publications.current(counted.to)
    monkeypatch.setattr(volume, "_MOST_LINES", 1)
    with publications.connect(version) as con:
        fallen = volume.fallen(con, version, {}, excused=["IR-02", "IR-03"])
        assert {one.provinces for one in fallen} == {frozenset(PLACES)}
        of_one = volume.fallen(con, version, {}, excused=["IR-01", "IR-02", "IR-03"])
        assert {one.provinces for one in of_one} == {frozenset(["IR-23"])}
        rows = con.execute(
            "from load_rows union all values ('training', 'IR-07', 1), ('training', 'IR-10', 1)"
        ).fetchall()
        monkeypatch.setattr(publications, "rows_of", lambda *_: rows)
        (lost,) = volume.losses(con, version, (), (), ())
    for line, (first, second) in ((fallen[0], sorted(PLACES)), (lost, ("IR-07", "IR-10"))):
        told = [(one.provinces, first in one.line, second in one.line) for one in line.parts]
        assert told == [({first}, True, False), ({second}, False, True)]


@pytest.mark.parametrize(("left_out", "lost"), [("personnel", {"IR-23"}), ("training", set(PLACES))])
def test_a_file_left_out_excuses_the_fall_of_its_province_unless_it_is_of_courses(
    folder_counted, monkeypatch, left_out, lost
):
    """No person counts by a course. Without the models every number falls to zero."""
    put(folder_counted, f"{left_out}_IR-01.csv", b"no table")
    for module, step in ((pipeline.run_models, "build"), (pipeline.adoption_history, "carry"), (pipeline, "_check")):
        monkeypatch.setattr(module, step, lambda *_: None)
    monkeypatch.setattr(pipeline.fingerprints, "numbers_of", lambda *_: {})
    refusals = build(folder_counted, "--skip-refused", accept_loss=False).refusals
    assert len(refusals) == 3
    assert all({place for place in PLACES if place in line} == lost for line in refusals)


# ------------------------------------------------------------------ the identity key


def test_a_lost_identity_key_refuses_a_build_where_publications_under_another_are_kept(tmp_path, monkeypatch):
    folder = put_good(tmp_path / "incoming")
    monkeypatch.delenv("IDENTITY_KEY")
    key = tmp_path / "identity.key"
    monkeypatch.setenv("IDENTITY_KEY_FILE", str(key))
    (tmp_path / "new").mkdir()
    to = build(folder, to=tmp_path / "new" / "warehouse.duckdb", accept_loss=False).to
    content = key.read_bytes()
    assert (to.resolve().stem, len(content), key.stat().st_mode & 0o777) == ("000001", 32, 0o600)
    made = "and publications are kept that were made under it"
    faults = {
        "other": "it is another one than that of the last publication",
        "missing": f"{key} is missing, {made}",
        "short": f"{key} is cut short, {made}",
    }
    for how, fault in faults.items():
        if how == "missing":
            key.unlink()
        else:
            key.write_bytes(content[:1] if how == "short" else bytes(32))
        for accept_loss in (False, True)[: 1 + (how == "other")]:
            refused = load(folder, to=to, accept_loss=accept_loss)
            assert refused.refusals == [f"the identity key: {fault}; put it back from a backup"]
            assert "--new-identity goes on without the lost key" in refused.out
        assert not key.exists() or key.read_bytes() != content
        # Once with the models, which tell under which key a publication is made.
        anew = (build if how == "other" else load)(folder, "--new-identity", to=to, accept_loss=False)
        said = (
            "begun anew: the rows of this publication cannot be compared with those of earlier ones (diff, revisions), "
            "and counts in files for circulation are rounded anew"
        )
        assert f"accepted: the identity key: {fault}; {said} · " in anew.out
        assert (len(key.read_bytes()), key.read_bytes() == content) == (32, False)
        content = key.read_bytes()
    assert load(folder, to=to, accept_loss=False).code == 0


def test_only_a_build_that_publishes_stores_a_key(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(pipeline, "WorkerPool", WarmPool)
    monkeypatch.delenv("IDENTITY_KEY")
    key = tmp_path / "identity.key"
    monkeypatch.setenv("IDENTITY_KEY_FILE", str(key))
    key.write_bytes(b"cut short")
    options = pipeline.BuildOptions(folder, tmp_path / "warehouse.duckdb", DAY, new_identity=True)
    with without_models():
        for tried in (options, replace(options, only_returns=True, returns=tmp_path / "back")):
            pipeline.check(tried, print, lambda *_: None)
            assert key.read_bytes() == b"cut short"


# ------------------------------------------------------------------ files


def test_a_file_with_more_than_half_of_its_rows_rejected_is_refused(folder):
    for bad in (50, 51, 100):
        rows = [
            row(
                "training",
                national_id=national_id(5000 + bad),
                completed_on=f"13{80 + at // 28}/05/{at % 28 + 1:02}",
                result="?" if at < bad else "passed",
            )
            for at in range(100)
        ]
        put(folder, f"training_more_{bad:03}.csv", rows)
    assert refusals_of_load(folder) == [
        f"training_more_{bad:03}.csv: {bad} of 100 rows rejected (unknown_value {bad}); unknown_value first at line 2, "
        "column result: expected one of: passed, failed; correct these rows and "
        "submit the file again"
        for bad in (51, 100)
    ]
    accepted = load(folder)
    for bad, loss in zip((51, 100), accepted.report["accepted"], strict=True):
        assert accepted.counts(f"training_more_{bad:03}.csv") == (100, 100 - bad, bad, 0)
        assert loss.startswith(f"training_more_{bad:03}.csv: {bad} of 100 rows rejected (unknown_value {bad}); ")
        told = f" · {bad} از 100 ردیف رد شد؛ {bad} ردیف، نخستین مورد در سطر 2، ستون «نتیجه»: یکی از این‌ها: قبول، مردود"
        assert persian_digits(told) in loss


def test_rows_that_only_refer_to_a_rejected_one_count_too(folder):
    """Each row of the file refers to a missing institute."""
    put(folder, "personnel_more.csv", [row("personnel", national_id=national_id(9), institute_code="none")])
    (refusal,) = refusals_of_load(folder)
    assert refusal.startswith("personnel_more.csv: 1 of 1 rows rejected (orphan_institute 1); ")


def test_a_mostly_rejected_file_can_be_left_out(folder):
    bad = [row("training", national_id=national_id(5000 + at), result="?") for at in range(2)]
    put(folder, "training_more.csv", [*bad, row("training", national_id=national_id(5002), course_code="PY-102")])
    built = load(folder, "--skip-refused", accept_loss=False)
    assert built.code == 0
    (entry_refused,) = built.report["refused"]
    refusal = entry_refused.pop("reason")
    assert entry_refused == {"file": "training_more.csv", "table": "training", "province": "IR-23"}
    assert refusal.startswith("2 of 3 rows rejected (unknown_value 2); ")
    assert f"refused: training_more.csv (IR-23): {refusal}" in built.out
    assert "training_more.csv" not in [entry["file"] for entry in built.report["files"]]
    assert built.sql("select refusal, province, rows_read from load_files where file = 'training_more.csv'") == [
        (refusal, "IR-23", 0)
    ]
    assert built.sql("select missing from publication") == [(["training_more.csv"],)]
    assert built.sql("select count(*) from quarantine") == [(0,)]
    assert built.sql("select sum(rows) from load_rows where source_table = 'training'") == [(2 * PER_PLACE,)]


def test_rows_that_refer_to_a_file_left_out_are_validated_again(folder):
    """Without the file that holds their institute, people are orphans, and their file is mostly rejected."""
    bad = [row("institutes", institute_code=f"9{at}", activity="?") for at in range(2)]
    put(folder, "institutes_more.csv", [*bad, row("institutes", institute_code="99")])
    put(folder, "personnel_more.csv", [row("personnel", national_id=national_id(9), institute_code="99")])
    built = load(folder, "--skip-refused", accept_loss=False)
    assert built.code == 0
    assert [entry["file"] for entry in built.report["refused"]] == ["institutes_more.csv", "personnel_more.csv"]
    assert built.report["refused"][1]["reason"].startswith(
        "more than half of its rows refer to refused files (institutes_more.csv); nothing is to be corrected here"
    )


def test_a_province_whose_file_is_left_out_is_not_lost_unseen(folder):
    """--skip-refused accepts the loss of the file's own province, and of no other."""
    put(folder, "training_IR-01.csv", b"no table")
    built = load(folder, "--skip-refused", accept_loss=False)
    assert built.code == 0
    assert [(entry["file"], entry["province"]) for entry in built.report["refused"]] == [
        ("training_IR-01.csv", "IR-01")
    ]


def test_rows_that_refer_to_a_file_left_out_are_excused_with_it(tmp_path):
    folder, rows = tmp_path / "incoming", register()
    hand_in(folder, rows)
    (folder / "institutes.csv").unlink()
    hand_in(folder, {"institutes": rows["institutes"]}, by_province=True)
    assert load(folder, accept_loss=False).code == 0
    put(folder, "institutes_IR-01.csv", b"no table")
    built = load(folder, "--skip-refused", accept_loss=False)
    assert built.code == 0
    assert built.counts("licences.csv") == (240, 120, 120, 0)


def test_a_table_of_which_every_file_is_left_out_is_refused(folder):
    for place in PLACES:
        put(folder, f"licences_{place}.csv", b"no table")
    refusals = refusals_of_load(folder, "--skip-refused")
    assert refusals == ["licences: no rows loaded where the last publication has 240; submit its files"]


# ------------------------------------------------------------------ all of them, in lines


def test_every_refusal_has_place_reason_and_remedy(folder):
    put(folder, "courses.csv", "course_code,posts\nPY-101,cook\n")
    put(folder, "targets.csv", "metric,date,value\nx,1400/13/01,5\n")
    put(folder, "training_a.csv", "a,b\n")
    put(folder, "training_b.xlsx", b"no workbook")
    assert [line.partition(":")[0] for line in refusals_of_load(folder)] == [
        "courses.csv, line 2, posts",
        "targets.csv, line 2, metric",
        "training_a.csv",
        "training_b.xlsx",
    ]
    for name in ("courses.csv", "targets.csv"):
        (folder / name).unlink()
    for place in PLACES:
        (folder / f"licences_{place}.csv").unlink()
    put(folder, "institutes_c.csv", [row("institutes", institute_code="x", status="?")])
    refusals = refusals_of_load(folder)
    assert [line.partition(":")[0] for line in refusals] == [
        "training_a.csv",
        "training_b.xlsx",
        "institutes_c.csv",
        "licences",
    ]
    assert all("; " in line and "--" not in line for line in refusals)
    (folder / "institutes_c.csv").unlink()
    assert [line.partition(":")[0] for line in refusals_of_load(folder)] == [
        "training_a.csv",
        "training_b.xlsx",
        "licences",
    ]


def test_orphans_of_an_unreadable_file_are_not_reported_as_faults_of_others(folder):
    put(folder, "institutes_IR-01.csv", b"no table")
    assert [line.partition(":")[0] for line in refusals_of_load(folder)] == ["institutes_IR-01.csv"]


def test_orphans_of_a_mostly_rejected_file_are_not_reported_as_faults_of_others(folder):
    """Nor where the rows of people are orphans themselves; an orphan whose table is whole is a fault of its own."""
    ids = [national_id(7000 + at) for at in range(79)]
    put(folder, "personnel_more.csv", [row("personnel", national_id=one, birth_date="?") for one in ids])
    put(folder, "training_more.csv", [row("training", national_id=one) for one in ids])
    assert [line.partition(":")[0] for line in refusals_of_load(folder)] == ["personnel_more.csv"]
    put(folder, "licences_more.csv", [row("licences", application_no="x", institute_code="nowhere")])
    refused = ["licences_more.csv", "personnel_more.csv"]
    assert [line.partition(":")[0] for line in refusals_of_load(folder)] == refused
    put(folder, "institutes_more.csv", [row("institutes", institute_code="nowhere", status="?")])
    put(folder, "personnel_more.csv", [row("personnel", national_id=one, institute_code="nowhere") for one in ids])
    assert [line.partition(":")[0] for line in refusals_of_load(folder)] == ["institutes_more.csv"]


def test_a_refused_file_excuses_the_tables_that_refer_to_it_alone(folder):
    put(folder, "licences_bad.csv", b"no table")
    put(folder, "training_more.csv", [row("training", national_id=national_id(7000))])
    refused = ["licences_bad.csv", "training_more.csv"]
    assert [line.partition(":")[0] for line in refusals_of_load(folder)] == refused


# ------------------------------------------------------------------ check


def test_check_says_what_build_would_and_publishes_nothing(tmp_path, monkeypatch):
    folder = put_good(tmp_path / "incoming")
    assert load(folder).code == 0
    monkeypatch.setenv("TMPDIR", str(tmp_path / "scratch"))
    monkeypatch.setattr("tempfile.tempdir", None)
    (tmp_path / "scratch").mkdir()
    put(
        folder,
        "training_more.csv",
        [row("training", national_id=national_id(5000), course_code="PY-102", score="x")] * 2,
    )
    put(folder, "personnel_old.xls", b"x")
    for options in ((), ("--accept-loss",), ("--skip-refused",)):
        # With --skip-refused the build goes on to the models.
        how = build if options == ("--skip-refused",) else load
        checked = how(folder, *options, accept_loss=False, command="check")
        assert [path.stem for path in publications.versions(checked.to)] == ["000001"]
        built = how(folder, *options, accept_loss=False)
        assert checked.code == built.code
        assert checked.err == built.err
        unpublished = dict.fromkeys(("published", "publication", "returned", "returns"))
        assert {**checked.report, **unpublished} == {**built.report, **unpublished}
        assert (checked.report["published"], checked.report["publication"]) == (False, "")
        if built.code == 0:
            assert "the refused files were left out; as of " in checked.out
            break_back(built.to)
    assert not list((tmp_path / "scratch").iterdir())


def break_back(pointer: Path) -> None:
    """Show the first publication, and delete all others."""
    publications.roll_back(pointer, "000001")
    for path in publications.versions(pointer)[1:]:
        path.unlink()
    (pointer.with_name(pointer.name + ".publications") / "newest-shown").unlink()


def test_check_runs_while_a_build_does_and_needs_no_earlier_publication(tmp_path):
    folder = put_good(tmp_path / "incoming")
    to = tmp_path / "warehouse.duckdb"
    with publications.building(to):
        assert load(folder, to=to).code == 3
        checked = load(folder, to=to, accept_loss=False, command="check")
    assert checked.code == 0
    assert not os.path.lexists(to)


def test_check_without_a_place_to_work_in_is_refused(folder, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "nowhere"))
    outcome = load(folder, accept_loss=False, command="check")
    assert re.search(r"nowhere.*: cannot be written \(No such file or directory\); ", outcome.refusal)
