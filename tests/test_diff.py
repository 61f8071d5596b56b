"""Two publications compared: which numbers moved, by how much, and by which change of rows."""

import subprocess
import sys
from pathlib import Path

import pytest

from etl import diff

ROOT = Path(__file__).parents[1]
SAMPLE = Path(__file__).parent / "sample"


def etl(*words: str) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, "-m", "etl", *words], cwd=ROOT, capture_output=True, text=True)


@pytest.fixture
def house(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    for path in SAMPLE.glob("*.csv"):
        (folder / path.name).write_bytes(path.read_bytes())
    return folder, tmp_path / "w.duckdb"


def build(folder: Path, to: Path) -> None:
    done = etl("build", str(folder), "--to", str(to), "--day", "2024-10-01")
    assert done.returncode == 0, done.stderr


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8-sig")
    assert text.count(old) >= 1
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_the_same_files_move_nothing(house):
    folder, to = house
    build(folder, to)
    build(folder, to)
    found = diff.between(to)
    assert found.moved == ()
    assert all((one.new_rows, one.corrected_rows, one.removed_rows) == (0, 0, 0) for one in found.rows)
    assert "no number moved" in etl("diff", "--from", str(to)).stdout


def test_a_corrected_row_is_told_from_a_new_and_a_removed_one(house):
    folder, to = house
    build(folder, to)
    lines = (folder / "institutes.csv").read_text(encoding="utf-8-sig").splitlines()
    header = lines[0].split(",")
    smart = header.index("smart_services")
    row = next(index for index, line in enumerate(lines) if line.split(",")[0] == "001")
    cells = lines[row].split(",")
    cells[smart] = "no"
    lines[row] = ",".join(cells)
    (folder / "institutes.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    build(folder, to)
    found = diff.between(to)
    changes = {one.source_table: (one.new_rows, one.corrected_rows, one.removed_rows) for one in found.rows}
    assert changes["institutes"] == (0, 1, 0)
    assert changes["personnel"] == (0, 0, 0)
    nation = {one.metric: one for one in found.moved if one.province is None}
    assert (nation["smart_service_share"].before, nation["smart_service_share"].after) == (0.5, 0.0)
    assert nation["smart_service_share"].causes == ("corrected_rows",)
    assert "training_compliance" not in nation
    assert {one.province for one in found.moved if one.metric == "smart_service_share"} == {None, "IR-23"}


def test_new_and_removed_rows_are_counted_and_move_their_numbers(house):
    folder, to = house
    build(folder, to)
    text = (folder / "training.csv").read_text(encoding="utf-8-sig").splitlines()
    # Zahra's only course.
    kept = [line for line in text if not line.startswith("9990002029,base")]
    assert len(kept) == len(text) - 2, "one of them was handed in twice"
    (folder / "training.csv").write_text("\n".join(kept) + "\n", encoding="utf-8")
    build(folder, to)
    forward = diff.between(to)
    back = diff.between(to, "000002", "000001")
    training = {one.source_table: one for one in forward.rows}["training"]
    assert (training.new_rows, training.corrected_rows, training.removed_rows) == (0, 0, 1)
    assert {one.source_table: one for one in back.rows}["training"].new_rows == 1
    moved = {one.metric: one for one in forward.moved if one.province is None}
    assert moved
    assert all(one.causes == ("removed_rows",) for one in moved.values())
    assert {one.metric: one.change for one in back.moved if one.province is None and one.change} == {
        name: -one.change for name, one in moved.items() if one.change
    }


def test_the_command_line_names_what_moved(house):
    folder, to = house
    build(folder, to)
    assert etl("diff", "--from", str(to)).returncode == 1
    change(folder / "targets.csv", "12", "10")
    build(folder, to)
    done = etl("diff", "--from", str(to))
    assert done.returncode == 0, done.stderr
    assert "target_progress" in done.stdout
    assert diff.history(to)[0]["metric"]
