"""A publication is complete or absent: versions, the pointer, rollback, and flipped bits."""

from __future__ import annotations

import os
import random
import re
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from etl.cli.commands import main
from etl.core import errors
from etl.core.errors import Refused
from etl.warehouse import publications
from etl.warehouse.code_version import code_version
from tests.effort import draws
from tests.loading import (
    ROOT,
    WITHOUT_MIGHT,
    build,
    copy_publication,
    digest,
    load,
    put,
    put_good,
    quick_digest,
    row,
    run,
)

pytestmark = pytest.mark.slow


@pytest.fixture
def pointer(tmp_path: Path) -> Path:
    return tmp_path / "warehouse.duckdb"


def build_stub(private: Path, number: int) -> Path:
    """A finished database that holds its number."""
    path = private / "built.duckdb"
    with duckdb.connect(str(path)) as con:
        con.execute(f"create table content as select {number} as number")
        con.execute(f"create table publication as select '{code_version()}' as code_version")
    return path


def publish(pointer: Path, number: int) -> Path:
    with publications.building(pointer) as private:
        return publications.publish(build_stub(private, number), pointer)


def shown_number(pointer: Path) -> int:
    with publications.connect(pointer) as con:
        return con.execute("select number from content").fetchall()[0][0]


def ids(pointer: Path) -> list[str]:
    return [path.stem for path in publications.versions(pointer)]


# ------------------------------------------------------------------ versions and the pointer


def test_without_a_publication_the_error_says_so(pointer):
    with pytest.raises(Refused, match="nothing is published there yet"):
        publications.connect(pointer)


def test_a_publication_is_shown_by_a_pointer_that_can_be_moved_with_its_versions(pointer, tmp_path):
    version = publish(pointer, 7)
    assert (version.name, shown_number(pointer)) == ("000001.duckdb", 7)
    assert not os.path.isabs(os.readlink(pointer))
    os.rename(tmp_path, tmp_path.with_name("moved"))
    assert shown_number(tmp_path.with_name("moved") / pointer.name) == 7


def test_the_last_five_are_kept_and_numbered_in_order(pointer):
    for number in range(1, 9):
        publish(pointer, number)
    assert (ids(pointer), shown_number(pointer)) == (["000004", "000005", "000006", "000007", "000008"], 8)


def test_going_back_and_forward(pointer):
    for number in (1, 2, 3):
        publish(pointer, number)
    assert publications.roll_back(pointer).stem == "000002"
    assert shown_number(pointer) == 2
    assert publications.roll_back(pointer).stem == "000001"
    with pytest.raises(Refused, match="no earlier publication is kept"):
        publications.roll_back(pointer)
    assert publications.roll_back(pointer, "000003").stem == "000003"
    assert shown_number(pointer) == 3
    with pytest.raises(Refused, match="no publication 000009 is kept"):
        publications.roll_back(pointer, "000009")


def damage(version: Path) -> None:
    """Flip the bits of a byte of the header."""
    content = bytearray(version.read_bytes())
    content[100] ^= 255
    version.write_bytes(content)


@pytest.mark.parametrize("how", ["damaged", "missing", "no pointer"])
@pytest.mark.parametrize("to", ["", "000001"])
def test_going_back_works_where_the_shown_file_is_gone_or_damaged(pointer, how, to, capsys):
    for number in (1, 2, 3):
        version = publish(pointer, number)
    if how == "damaged":
        damage(version)
    else:
        (version if how == "missing" else pointer).unlink()
    assert main(["publications", "--from", str(pointer)]) == 0
    last = {
        "damaged": "000003\tdamaged\tshown\n",
        "missing": "000003\tmissing\tshown\n",
        "no pointer": "000003\tkept\n",
    }
    assert capsys.readouterr().out == f"000001\tkept\n000002\tkept\n{last[how]}"
    assert main(["rollback", *filter(None, [to]), "--from", str(pointer)]) == 0
    newest = "000003" if how == "no pointer" else "000002"
    assert capsys.readouterr().out == f"{to or newest}\n"
    assert shown_number(pointer) == int(to or newest)
    assert publish(pointer, 4).stem == "000004"


def test_without_its_file_a_publication_is_said_to_be_missing(pointer):
    publish(pointer, 1).unlink()
    with pytest.raises(Refused, match="the published file is missing; python -m etl rollback shows one that is kept"):
        publications.connect(pointer)


def test_a_damaged_publication_is_not_gone_back_to_and_the_newest_sound_one_is_named(pointer):
    versions = [publish(pointer, number) for number in (1, 2, 3, 4)]
    content = bytearray(versions[2].read_bytes())
    with publications.connect(versions[2]) as con:
        assert not publications.is_damaged(versions[2])
        con.execute("from content")
    # Blocks of data begin behind three headers of 4 KiB.
    content[12_288:] = bytes(len(content) - 12_288)
    versions[2].write_bytes(content)
    for to in ("", "000003"):
        with pytest.raises(
            Refused, match="000003 is damaged; python -m etl rollback 000002 shows the newest sound one"
        ):
            publications.roll_back(pointer, to)
    assert shown_number(pointer) == 4
    for version in versions[:2]:
        damage(version)
    with pytest.raises(Refused, match="000003 is damaged; no other one is sound: put one back from a backup"):
        publications.roll_back(pointer)


def test_a_build_after_going_back_keeps_what_was_gone_back_from(pointer):
    for number in (1, 2, 3):
        publish(pointer, number)
    publications.roll_back(pointer, "000001")
    assert publish(pointer, 4).stem == "000004"
    assert ids(pointer) == ["000001", "000002", "000003", "000004"]
    assert publications.roll_back(pointer).stem == "000003"


def test_a_reader_keeps_what_it_opened_while_others_are_published_and_old_ones_removed(pointer):
    publish(pointer, 1)
    with publications.connect(pointer) as con:
        for number in range(2, 9):
            publish(pointer, number)
        assert con.execute("select number from content").fetchall() == [(1,)]
        assert con.cursor().execute("select number from content").fetchall() == [(1,)]
    assert shown_number(pointer) == 8


def test_a_version_deleted_before_it_is_opened_is_looked_up_again(pointer, monkeypatch):
    first = publish(pointer, 1)
    publish(pointer, 2)
    looks = iter([first])
    real = publications.current
    first.unlink()
    monkeypatch.setattr(publications, "current", lambda at: next(looks, None) or real(at))
    assert shown_number(pointer) == 2


def test_a_file_in_the_place_of_the_pointer_is_never_overwritten(pointer):
    pointer.write_text("mine")
    with pytest.raises(Refused, match="is a file of its own"), publications.building(pointer):
        pass
    assert pointer.read_text() == "mine"


def test_without_its_pointer_no_version_is_taken_for_one_never_shown(pointer):
    publish(pointer, 1)
    publish(pointer, 2)
    pointer.unlink()
    assert publish(pointer, 3).stem == "000003"
    assert ids(pointer) == ["000001", "000002", "000003"]


# ------------------------------------------------------------------ one at a time, and after a death


def test_a_second_build_is_busy_and_so_is_going_back(pointer):
    publish(pointer, 1)
    publish(pointer, 2)
    with publications.building(pointer):
        with pytest.raises(errors.Busy), publications.building(pointer):
            pass
        with pytest.raises(errors.Busy):
            publications.roll_back(pointer)
    publications.roll_back(pointer)
    assert shown_number(pointer) == 1


HOLD = """
import sys, time
from pathlib import Path
from etl.warehouse import publications as publication
with publication.building(Path(sys.argv[1])) as folder:
    (folder / "half.duckdb").write_bytes(bytes(1000))
    print(folder, flush=True)
    time.sleep(60)
"""


def test_a_dead_build_leaves_neither_a_lock_nor_its_folder(pointer):
    publish(pointer, 1)
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(pointer)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        private = Path(process.stdout.readline().strip())
        with pytest.raises(errors.Busy), publications.building(pointer):
            pass
        process.kill()
    assert private.exists()
    assert publish(pointer, 2).stem == "000002"
    assert not private.exists()
    assert sorted(os.listdir(private.parent)) == ["000001.duckdb", "000002.duckdb", "lock"]


CUT = """
import os, sys
from pathlib import Path
import duckdb
from etl.warehouse import publications as publication, version_files
pointer, patched, command = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
setattr(version_files if hasattr(version_files, patched) else os, patched, lambda *_: os._exit(9))
if command == "rollback":
    publication.roll_back(pointer)
with publication.building(pointer) as folder:
    with duckdb.connect(str(folder / "built.duckdb")) as con:
        con.execute("create table content as select 666 as number")
    publication.publish(folder / "built.duckdb", pointer)
"""


def cut_power(pointer: Path, step: str, command: str = "publish") -> None:
    """Run in a process that ends at the first call of `step`, as in a power failure."""
    result = subprocess.run([sys.executable, "-c", CUT, str(pointer), step, command], cwd=ROOT, check=False)
    assert result.returncode == 9


@pytest.mark.parametrize("step", ["rename", "replace"])
def test_a_power_cut_between_the_last_steps_is_healed_by_the_next_build(pointer, step):
    """Just before the version or the pointer is renamed."""
    publish(pointer, 1)
    cut_power(pointer, step)
    assert shown_number(pointer) == 1
    assert ids(pointer) == (["000001", "000002"] if step == "replace" else ["000001"])
    with pytest.raises(Refused, match="no publication 000002 is kept"):
        publications.roll_back(pointer, "000002")
    assert publish(pointer, 2).stem == "000002"
    assert shown_number(pointer) == 2
    assert publications.roll_back(pointer).stem == "000001"
    assert shown_number(pointer) == 1


def test_a_power_cut_while_going_back_loses_nothing(pointer):
    for number in (1, 2, 3):
        publish(pointer, number)
    cut_power(pointer, "point", "rollback")
    assert shown_number(pointer) == 3
    publish(pointer, 4)
    assert ids(pointer) == ["000001", "000002", "000003", "000004"]


@pytest.mark.parametrize("step", ["fsync", "rename", "replace"])
def test_a_disk_that_fails_at_a_step_leaves_the_last_publication(pointer, monkeypatch, step):
    publish(pointer, 1)

    def fail(*_: object) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(os, step, fail)
        with pytest.raises(OSError, match="Input/output error"):
            publish(pointer, 2)
    assert shown_number(pointer) == 1
    assert publish(pointer, 2).stem == "000002"
    assert (shown_number(pointer), ids(pointer)) == (2, ["000001", "000002"])


@pytest.mark.parametrize("way", ["relative", "linked folder", "linked versions"])
def test_the_current_publication_is_marked_whatever_the_path(way, tmp_path, monkeypatch, capsys):
    home = tmp_path / "home"
    home.mkdir()
    pointer = home / "warehouse.duckdb"
    for number in (1, 2, 3):
        publish(pointer, number)
    publications.roll_back(pointer)
    monkeypatch.chdir(home)
    if way == "linked folder":
        (tmp_path / "link").symlink_to(home)
        pointer = tmp_path / "link" / pointer.name
    elif way == "linked versions":
        versions = home / "warehouse.duckdb.publications"
        versions.rename(tmp_path / "elsewhere")
        versions.symlink_to(tmp_path / "elsewhere")
    else:
        pointer = Path(pointer.name)
    assert main(["publications", "--from", str(pointer)]) == 0
    assert capsys.readouterr().out == "000001\tkept\n000002\tshown\n000003\tkept\n"
    assert main(["rollback", "000003", "--from", str(pointer)]) == 0
    capsys.readouterr()
    assert main(["publications", "--from", str(pointer)]) == 0
    assert capsys.readouterr().out == "000001\tkept\n000002\tkept\n000003\tshown\n"


@pytest.mark.parametrize(("failing", "place"), [(1, r"building-\w+/built\.duckdb"), (2, r"\.publications")])
def test_a_failed_sync_gets_an_error_that_names_the_place(failing, place, tmp_path, monkeypatch):
    folder = put_good(tmp_path / "incoming")
    to = load(folder).to
    _fail_to_sync(monkeypatch, failing)
    built = load(folder)
    assert built.code == 1
    assert re.fullmatch(
        rf"{re.escape(str(to))}.*{place}: could not be written to the disk \(Input/output error\); .*", built.refusal
    )
    assert built.report["refusals"] == built.err.splitlines()
    assert ids(to) == (["000001"] if failing == 1 else ["000001", "000002"])
    assert to.resolve().stem == "000001"


@pytest.mark.parametrize(("failing", "place"), [(1, ".publications/.newest-shown.{pid}.next"), (3, ".publications")])
def test_an_error_while_going_back_names_the_place_that_cannot_be_written(failing, place, pointer, monkeypatch, capsys):
    publish(pointer, 1)
    publish(pointer, 2)
    _fail_to_sync(monkeypatch, failing)
    assert main(["rollback", "--from", str(pointer)]) == 1
    assert capsys.readouterr().err.startswith(
        f"{pointer}{place.format(pid=os.getpid())}: could not be written to the disk (Input/output error); "
    )
    assert shown_number(pointer) == 2


def _fail_to_sync(monkeypatch: pytest.MonkeyPatch, failing: int) -> None:
    """The disk fails at one of the fsync calls of a publication or rollback."""
    calls = iter(range(1, 10))
    real = os.fsync

    def fail(handle: int) -> None:
        if next(calls) == failing:
            raise OSError(5, "Input/output error")
        real(handle)

    monkeypatch.setattr(publications.os, "fsync", fail)


def test_a_disk_error_after_the_pointer_has_moved_does_not_undo_the_publication(pointer, monkeypatch):
    for number in range(1, 7):
        publish(pointer, number)
    real = os.replace

    def replace_then_fail(*names: Path) -> None:
        real(*names)

        def fail(*_: object, **__: object) -> None:
            raise OSError(5, "Input/output error")

        monkeypatch.setattr(os, "fsync", fail)
        monkeypatch.setattr(Path, "unlink", fail)

    monkeypatch.setattr(os, "replace", replace_then_fail)
    with publications.building(pointer) as private:
        assert publications.publish(build_stub(private, 7), pointer).stem == "000007"
    monkeypatch.undo()
    assert shown_number(pointer) == 7


@pytest.mark.parametrize("year", [1970, 2099])
def test_the_order_does_not_depend_on_the_clock(pointer, year):
    for number in (1, 2, 3):
        version = publish(pointer, number)
        moment = time.mktime((year - number if year == 2099 else year, 1, 2, 0, 0, 0, 0, 0, 0))
        os.utime(version, (moment, moment))
    assert publish(pointer, 4).stem == "000004"
    assert (shown_number(pointer), ids(pointer)[-1]) == (4, "000004")
    assert publications.roll_back(pointer).stem == "000003"


# ------------------------------------------------------------------ read-only


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = put_good(tmp_path_factory.mktemp("published") / "incoming")
    put(folder, "institutes_2.csv", [row("institutes", institute_code=f"x{at}", name=f"نام {at}") for at in range(800)])
    return build(folder).to


def test_a_read_only_folder_gets_a_clear_error_and_readers_go_on(published, tmp_path):
    folder = put_good(tmp_path / "incoming")
    shelf = tmp_path / "shelf"
    to = copy_publication(published, shelf)
    places = (shelf, shelf / "warehouse.duckdb.publications")
    try:
        for read_only, other in (places, places[::-1]):
            other.chmod(stat.S_IRWXU)
            read_only.chmod(stat.S_IRUSR | stat.S_IXUSR)
            build_result = run("build", folder, "--to", to, before=WITHOUT_MIGHT)
            assert (build_result.returncode, build_result.stderr.count("\n")) == (1, 1)
            assert build_result.stderr.startswith(f"{to}: cannot be written (")
        shelf.chmod(stat.S_IRUSR | stat.S_IXUSR)
        ask_result = run("ask", "in_service", "--format", "csv", "--from", to, before=WITHOUT_MIGHT)
        assert (ask_result.returncode, ask_result.stdout) == (0, "in_service\n1\n")
    finally:
        for place in places:
            place.chmod(stat.S_IRWXU)
    assert to.resolve().stem == "000001"


# ------------------------------------------------------------------ what a reader can do


@pytest.mark.parametrize(
    ("sql", "why"),
    [
        ("create table x (a int)", "read-only"),
        ("delete from institutes", "read-only"),
        ("select * from read_csv('/etc/passwd')", "disabled"),
        ("select * from read_text('/etc/hostname')", "disabled"),
        ("copy institutes to '/tmp/out.csv'", "disabled"),
        ("attach '/tmp/other.duckdb'", "disabled"),
        ("install httpfs", "disabled"),
        ("load '/tmp/x.duckdb_extension'", "disabled"),
        ("set enable_external_access = true", "locked|while database is running"),
        ("set memory_limit = '99GB'", "locked"),
        ("export database '/tmp/out'", "disabled"),
    ],
)
def test_a_reader_can_change_nothing_and_reach_nothing_else(published, sql, why):
    """Without the reason, a file or a network that is not there would be refusal enough."""
    with publications.connect(published) as con, pytest.raises(duckdb.Error, match=why):
        con.execute(sql)


# ------------------------------------------------------------------ flipped bits


READ = """
import sys
import duckdb
from pathlib import Path
from etl.warehouse import publications as publication
from etl.core.errors import Refused
from tests.loading import quick_digest
path = Path(sys.argv[1])
for line in sys.stdin:
    at, bit = map(int, line.split())
    with path.open("r+b") as file:
        file.seek(at)
        byte = file.read(1)[0]
        file.seek(at)
        file.write(bytes([byte ^ (1 << bit)]))
    try:
        with publication.connect(path) as con:
            said = quick_digest(con)
    except (Refused, duckdb.Error):
        said = "error"
    with path.open("r+b") as file:
        file.seek(at)
        file.write(bytes([byte]))
    # Only now, because the watcher that is notified reads the file.
    print(said, flush=True)
"""


@pytest.fixture
def flipper(published: Path, tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    copy = copy_publication(published, tmp_path / "copy").resolve()
    with subprocess.Popen(
        [sys.executable, "-c", READ, str(copy)], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield process, copy
        process.kill()


def test_a_flipped_bit_is_an_error_or_changes_nothing_but_never_a_number(flipper):
    process, copy = flipper
    assert process.stdin
    assert process.stdout
    with publications.connect(copy) as con:
        right = quick_digest(con)
    content = copy.read_bytes()
    chance = random.Random(3)
    # Half anywhere, half in used blocks: most of a small file is unused.
    full = [at for at in range(0, len(content), 4096) if any(content[at : at + 4096])]
    anywhere = [chance.randrange(len(content)) for _ in range(draws(10, 40))]
    places = anywhere + [chance.choice(full) + chance.randrange(4096) for _ in range(draws(20, 80))]
    outputs = []
    for at in places:
        process.stdin.write(f"{min(at, len(content) - 1)} {chance.randrange(8)}\n")
        process.stdin.flush()
        outputs.append(process.stdout.readline().strip())
    assert set(outputs) <= {right, "error"}
    assert outputs.count("error") > draws(5, 20)
    assert copy.read_bytes() == content


def test_a_damaged_publication_is_one_line_at_the_command_line_and_going_back_helps(published, tmp_path, capsys):
    to = copy_publication(published, tmp_path / "copy")
    folder = put_good(tmp_path / "incoming")
    assert load(folder, to=to).code == 0

    def outcome(*command: str) -> tuple[int, str, str]:
        capsys.readouterr()
        return main([*command, "--from", str(to)]), *capsys.readouterr()

    content = bytearray(to.resolve().read_bytes())
    content[0:200] = bytes(200)
    to.resolve().write_bytes(content)
    for command in (("ask", "in_service"), ("quarantine",)):
        told = f"{to}: the published file is damaged; python -m etl rollback goes back one\n"
        assert outcome(*command) == (1, "", told)
    assert outcome("rollback") == (0, "000001\n", "")
    assert outcome("ask", "in_service", "--format", "csv") == (0, "in_service\n1\n", "")
    content = bytearray(to.resolve().read_bytes())
    middle = len(content) // 2
    content[12_288:middle] = bytes(middle - 12_288)
    to.resolve().write_bytes(content)
    # In a process of its own: DuckDB may end the process that reads a damaged file.
    result = run("ask", "in_service", "--format", "csv", "--from", to)
    assert result.returncode == 1 or result.stdout == "in_service\n1\n"
    assert "Traceback" not in result.stderr


def test_two_readers_and_a_build_do_not_disturb_each_other(published, tmp_path):
    to = copy_publication(published, tmp_path / "copy")
    folder = put_good(tmp_path / "incoming")
    with publications.connect(to) as first, publications.connect(to) as second:
        before = digest(first)
        assert load(folder, to=to).code == 0
        assert digest(first) == digest(second) == before
    with publications.connect(to) as three:
        assert digest(three) != before
