"""Publications on several hosts: each host shows an offered publication, old or new, whatever fails in between."""

import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from etl.cli.commands import main
from etl.core.errors import Refused
from etl.operations import replicas
from etl.warehouse import publications
from tests.conftest import ROOT, Sample
from tests.effort import draws
from tests.loading import copy_publication

pytestmark = pytest.mark.slow

needs_rsync = pytest.mark.skipif(not shutil.which("rsync"), reason="rsync is not installed")


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory, publish_sample: Callable[..., Sample]) -> Path:
    """The pointer of a publication of one table, that about itself: each is copied and read whole. Tests get copies."""
    pointer = tmp_path_factory.mktemp("published") / "w.duckdb"
    with publications.building(pointer) as folder:
        with duckdb.connect(str(folder / "built.duckdb")) as con:
            con.execute(f"attach '{publish_sample().pointer.resolve()}' as sample (read_only)")
            con.execute("create table publication as from sample.publication")
        publications.publish(folder / "built.duckdb", pointer)
    return pointer


@pytest.fixture
def builder(tmp_path: Path, published: Path) -> Path:
    """A building host's pointer, with one publication."""
    return copy_publication(published, tmp_path / "builder")


@pytest.fixture
def replica(tmp_path) -> Path:
    folder = tmp_path / "replica"
    folder.mkdir()
    return folder / "w.duckdb"


@pytest.fixture
def offer(tmp_path, builder) -> Path:
    replicas.offer(builder, tmp_path / "offer")
    return tmp_path / "offer"


def publish_stamped(pointer: Path, stamp: int, padding: int = 0) -> None:
    """The publication shown, published again with a number in it, and in two tables."""
    with publications.building(pointer) as folder:
        shutil.copyfile(publications.current(pointer), folder / "built.duckdb")
        with duckdb.connect(str(folder / "built.duckdb")) as con:
            for name in ("stamp_a", "stamp_b"):
                con.execute(f"create or replace table {name} as select {stamp} as number")
            if padding:
                con.execute(f"create or replace table padding as select uuid() as x from range({padding})")
        publications.publish(folder / "built.duckdb", pointer)


def shown_publication(pointer: Path) -> str:
    return publications.current(pointer).stem


def error_text(error: pytest.ExceptionInfo[Refused]) -> str:
    assert "\n" not in str(error.value)
    return str(error.value)


def change(offer: Path, **values: object) -> None:
    manifest = json.loads((offer / "manifest.json").read_text())
    (offer / "manifest.json").write_text(json.dumps(manifest | values))


def test_a_replica_shows_the_same_publication_byte_for_byte(builder, offer, replica):
    assert main(["accept", str(offer), "--to", str(replica)]) == 0
    assert shown_publication(replica) == shown_publication(builder)
    assert replica.read_bytes() == builder.read_bytes()
    assert os.stat(replica).st_mtime_ns == os.stat(builder).st_mtime_ns


@needs_rsync
def test_pull_fetches_each_publication_once(builder, offer, replica, capsys):
    assert main(["pull", str(offer), "--to", str(replica)]) == 0
    assert main(["pull", str(offer), "--to", str(replica)]) == 0
    publish_stamped(builder, 2)
    assert main(["offer", str(offer), "--from", str(builder)]) == 0
    assert main(["pull", str(offer), "--to", str(replica)]) == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if "\t" not in line]
    assert lines == ["000001", "nothing new", "000002"]
    assert not list((replica.parent / "w.duckdb.pulled").glob("*.duckdb"))


@pytest.mark.slow
@needs_rsync
def test_going_back_on_the_building_host_goes_back_on_the_others(builder, offer, replica):
    replicas.pull(str(offer), replica)
    publish_stamped(builder, 2)
    replicas.offer(builder, offer)
    replicas.pull(str(offer), replica)
    publications.roll_back(builder)
    replicas.offer(builder, offer)
    replicas.pull(str(offer), replica)
    assert shown_publication(replica) == "000001"
    assert [path.stem for path in publications.versions(replica)] == ["000001", "000002"]
    publish_stamped(builder, 3)
    replicas.offer(builder, offer)
    replicas.pull(str(offer), replica)
    assert shown_publication(replica) == "000003"
    assert [path.stem for path in publications.versions(replica)] == ["000001", "000002", "000003"]


@needs_rsync
def test_a_missing_source_gets_a_one_line_error(replica):
    with pytest.raises(Refused) as error:
        replicas.pull("/nowhere/at/all", replica)
    assert error_text(error).startswith("rsync: exit ")
    with pytest.raises(Refused, match="names no host"):
        replicas.pull("", replica)


@pytest.mark.slow
def test_only_the_last_two_offers_are_kept(builder, offer):
    for number in (2, 3, 4):
        publish_stamped(builder, number)
        replicas.offer(builder, offer)
    assert sorted(path.name for path in offer.glob("*.duckdb")) == ["000003.duckdb", "000004.duckdb"]


# ------------------------------------------------------------------ what must not be shown


@pytest.mark.parametrize(
    "change_to",
    [
        {"sha256": "0" * 64},
        {"bytes": 1},
        {"name": "../000001.duckdb"},
        {"name": "/etc/passwd"},
        {"sha256": "x"},
        {"bytes": "many"},
        {"bytes": True},
        {"another": 1},
    ],
    ids=str,
)
def test_a_manifest_that_is_wrong_changes_nothing(offer, replica, change_to):
    replicas.accept(offer, replica)
    before = sorted(replica.parent.rglob("*"))
    change(offer, **change_to)
    with pytest.raises(Refused) as error:
        replicas.accept(offer, replica)
    error_text(error)
    assert sorted(replica.parent.rglob("*")) == before
    assert shown_publication(replica) == "000001"


def test_an_invalid_manifest_is_refused(offer, replica):
    for text in ("", "[]", "{}", "null", "\x00"):
        (offer / "manifest.json").write_text(text)
        with pytest.raises(Refused, match="is not a manifest"):
            replicas.accept(offer, replica)


@pytest.mark.parametrize("spoil", ["flip", "cut", "gone"])
def test_a_file_damaged_in_transfer_is_refused(builder, offer, replica, spoil):
    replicas.accept(offer, replica)
    publish_stamped(builder, 2)
    replicas.offer(builder, offer)
    file = offer / "000002.duckdb"
    content = bytearray(file.read_bytes())
    # The offer may be a link to the publication itself.
    file.unlink()
    content[len(content) // 2] ^= 1
    if spoil != "gone":
        file.write_bytes(content if spoil == "flip" else content[:-4096])
    with pytest.raises(Refused) as error:
        replicas.accept(offer, replica)
    error_text(error)
    assert shown_publication(replica) == "000001"
    assert [path.stem for path in publications.versions(replica)] == ["000001"]


def test_a_publication_of_other_code_is_refused(offer, replica, monkeypatch):
    monkeypatch.setattr(publications, "code_version", lambda: "another")
    with pytest.raises(Refused, match="by other code"):
        replicas.accept(offer, replica)
    assert not replica.exists()


def test_two_publications_under_one_number_are_not_mixed_up(builder, offer, replica, tmp_path):
    publish_stamped(builder, 2)
    replicas.offer(builder, offer)
    replicas.accept(offer, replica)
    publications.roll_back(builder)
    publications.versions(builder)[-1].unlink()
    (builder.parent / f"{builder.name}.publications" / "newest-shown").unlink()
    publish_stamped(builder, 22)
    assert shown_publication(builder) == "000002"
    replicas.offer(builder, offer)
    with pytest.raises(Refused, match="another publication 000002"):
        replicas.accept(offer, replica)


def test_a_disk_that_fills_leaves_the_last_publication(builder, offer, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    size = builder.stat().st_size
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={int(size * 1.6)}", "tmpfs", str(disk)])
    if mounted.returncode:
        pytest.skip("no file system can be mounted here")
    try:
        replica = disk / "w.duckdb"
        replicas.accept(offer, replica)
        publish_stamped(builder, 2)
        replicas.offer(builder, offer)
        with pytest.raises(Refused) as error:
            replicas.accept(offer, replica)
        assert "No space left" in error_text(error)
        assert shown_publication(replica) == "000001"
        assert not list(disk.rglob("building-*"))
        publications.verify(replica)
    finally:
        subprocess.run(["umount", str(disk)], check=True)


_READER = """
import sys, time
from pathlib import Path
from etl.warehouse import publications as publication
pointer, stop, seen, asked = Path(sys.argv[1]), Path(sys.argv[2]), set(), 0
is_over = False
while not is_over:
    # Once more after the last publication, however slow the machine is.
    is_over = stop.exists()
    with publication.connect(pointer) as con:
        a, b = con.execute("select (select number from stamp_a), (select number from stamp_b)").fetchone()
    assert a == b, (a, b)
    seen.add(a)
    asked += 1
    time.sleep(0.01)
print(asked, *sorted(seen))
"""


@pytest.mark.slow
def test_killed_at_any_moment_a_reader_sees_the_old_or_the_new(publish_sample, replica, tmp_path):
    # Of as many tables as it has anywhere: accepting it takes long enough.
    builder, offer = copy_publication(publish_sample().pointer, tmp_path / "builder"), tmp_path / "offer"
    publish_stamped(builder, 1, padding=400_000)
    replicas.offer(builder, offer)
    replicas.accept(offer, replica)
    stop = tmp_path / "stop"
    reader = subprocess.Popen(
        [sys.executable, "-c", _READER, str(replica), str(stop)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    killed, chance = 0, random.Random(23)
    stamps = range(2, 2 + draws(2, 4))
    try:
        for number in stamps:
            publish_stamped(builder, number)
            replicas.offer(builder, offer)
            for _ in range(3):
                process = subprocess.Popen(
                    [sys.executable, "-m", "etl", "accept", str(offer), "--to", str(replica)],
                    cwd=ROOT,
                    stdout=subprocess.DEVNULL,
                )
                # It has begun to work when its folder exists.
                folder = replica.parent / f"{replica.name}.publications"
                while process.poll() is None and not list(folder.glob("building-*")):
                    time.sleep(0.001)
                time.sleep(chance.random() * 0.1)
                process.kill()
                killed += process.wait() != 0
            replicas.accept(offer, replica)
            assert not list(folder.glob("building-*"))
    finally:
        stop.touch()
        out, errors = reader.communicate(timeout=180)
    assert reader.returncode == 0, errors
    count, *numbers = map(int, out.split())
    assert killed
    assert count > 10
    assert numbers[-1] == stamps[-1]
    assert set(numbers) <= {1, *stamps}
