"""A clerk in a browser: a file with five planted faults by the keyboard alone, and files that are not even sent."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import openpyxl
import pytest
from playwright.sync_api import FileChooser

from etl.extract.contract import contract
from etl.submissions.originals import MOST_FILES, MOST_OF_FILE
from tests.browser import app as front
from tests.loading import csv_text, national_id
from tests.submissions.conftest import FARS, Office, person, province_files, with_rows
from tests.submissions.test_commands import variables
from tests.submissions.test_way import PERSONNEL
from ui.i18n import text

pytestmark = pytest.mark.slow
_MOST_TABS, _MOST_TRIES = 150, 20
_SECONDS = 120_000
# The faults by the column in which each comes back, and what is right.
PLANTED = {
    "birth_date": ("1370/13/01", "1370/01/01"),
    "national_id": ("1234567890", national_id(155_900)),
    "province": ("فارسس", "فارس"),
    "hired_on": ("", "1399/02/01"),
    "left_on": ("1398/01/01", ""),
}


def faulty_rows() -> list[dict[str, str]]:
    return [
        person(155_000 + at, "فارس", "100") | {column: wrong} for at, (column, (wrong, _)) in enumerate(PLANTED.items())
    ]


def press_to(reader: front.Visit, selector: str) -> None:
    """Press Tab until an element has the focus."""
    for _ in range(_MOST_TABS):
        if reader.page.evaluate("(selector) => document.activeElement?.matches(selector)", selector):
            return
        reader.page.keyboard.press("Tab")
    pytest.fail(f"{selector} is not reached by the keyboard")


def choose(reader: front.Visit, path: Path) -> None:
    """Open the dialog of files: a key that meets a page being drawn anew is pressed again, as a person does."""
    chosen: list[FileChooser] = []
    reader.page.once("filechooser", lambda chooser: chosen.append(chooser))
    for _ in range(_MOST_TRIES):
        reader.settle()
        press_to(reader, ".pd-drop button")
        reader.page.keyboard.press("Enter")
        reader.settle()
        if chosen:
            break
    chosen[0].set_files(path)


def corrected(path: Path, returned: bytes) -> None:
    """Correct the file as the workbook of returned rows says: the line, the column by its Persian header, what stands there."""
    lines = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))
    names = {column.headers[0]: column.name for column in contract("personnel").columns}
    head, *rows = openpyxl.load_workbook(io.BytesIO(returned)).active.iter_rows(values_only=True)
    assert len(rows) == len(PLANTED)
    for row in rows:
        told = dict(zip(head, row, strict=True))
        name, number = names[told["ستون"]], int("".join(sign for sign in told["محل"] if sign.isdigit()))
        assert told["چه باید کرد"]
        assert (told[told["ستون"]] or "") == lines[number - 2][name] == PLANTED[name][0]
        lines[number - 2][name] = PLANTED[name][1]
    path.write_text(csv_text("personnel", lines), encoding="utf-8")


def test_five_planted_faults_are_found_corrected_and_handed_in_by_the_keyboard_alone(office: Office, tmp_path: Path):
    path = tmp_path / PERSONNEL
    path.write_text(with_rows(province_files(FARS)[PERSONNEL], "personnel", *faulty_rows()), encoding="utf-8")
    environment = variables(office)
    warehouse = Path(environment.pop("WAREHOUSE"))
    with (
        front.served(warehouse, **environment) as address,
        front.chromium() as chromium,
        front.visit(chromium, address) as reader,
    ):
        reader.go("handin", of="IR-07")
        choose(reader, path)
        reader.page.wait_for_selector(".st-key-figure-returned", timeout=_SECONDS)
        reader.settle()
        found = reader.page.locator(".st-key-figure-returned").inner_text()
        assert text.word("hand_in.adds_up", "fa", read="۳۵", loaded="۳۰", back="۵", warned="۰") in found
        press_to(reader, "a[href*='rows.xlsx']")
        with reader.page.expect_download() as download:
            reader.page.keyboard.press("Enter")
        corrected(path, Path(download.value.path()).read_bytes())
        choose(reader, path)
        reader.page.get_by_text(text.word("hand_in.all_accepted", "fa")).wait_for(timeout=_SECONDS)
        reader.settle()
        for at in range(reader.page.locator("[class*=st-key-why-] textarea").count()):
            for _ in range(at + 1):
                reader.page.keyboard.press("Tab")
                press_to(reader, "[class*=st-key-why-] textarea")
            reader.page.keyboard.type("پنج نفر در آبان به کار گرفته شدند")
            reader.page.keyboard.press("Tab")
            reader.settle()
            press_to(reader, ".pd-drop button")
        press_to(reader, ".st-key-hand-in-submit button")
        reader.page.keyboard.press("Enter")
        reader.page.wait_for_selector(".st-key-figure-receipt", timeout=_SECONDS)
        assert reader.failures == []
    (one,) = office.desk.records.all()
    assert (one.state, [file.number for file in one.files]) == ("submitted", [1]), "the corrected file took its place"
    assert [entry["rows_loaded"] for entry in one.result["files"]] == [35]


def test_a_file_too_large_and_files_too_many_are_told_of_before_a_byte_is_sent(office: Office, tmp_path: Path):
    large, empty = tmp_path / "personnel_large.csv", tmp_path / "personnel_empty.csv"
    with large.open("wb") as file:
        file.truncate(MOST_OF_FILE + 1)
    empty.touch()
    many = [tmp_path / f"training_{number}.csv" for number in range(MOST_FILES + 1)]
    for path in many:
        path.write_text("a")
    environment = variables(office)
    warehouse = Path(environment.pop("WAREHOUSE"))
    with front.served(warehouse, **environment) as address, front.chromium() as chromium:
        for lang, sentences in (
            ("fa", ("حجم هر فایل حداکثر ۲۰۰ مبی‌بایت است", "فایل خالی است", "هر ارسال حداکثر ۱۰۰ فایل دارد")),
            ("en", ("a file has at most 200 MiB", "the file is empty", "a submission has at most 100 files")),
        ):
            with front.visit(chromium, address, lang=lang) as reader:
                reader.go("handin", of="IR-07", **({"lang": lang} if lang == "en" else {}))
                said = reader.page.locator(".pd-drop ul")
                for paths, told in (([large, empty], sentences[:2]), (many, sentences[2:])):
                    with reader.page.expect_file_chooser() as chooser:
                        reader.page.locator(".pd-drop button").click()
                    chooser.value.set_files(paths)
                    for sentence in told:
                        said.get_by_text(sentence).wait_for(timeout=_SECONDS)
                    assert said.locator("li").count() == len(told)
                sent = [url for url in reader.requests if "/hand-in/" in url and "name=" in url]
                assert {"personnel_empty" in url for url in sent} == {True}
    assert not [one.files for one in office.desk.records.all() if one.files]
