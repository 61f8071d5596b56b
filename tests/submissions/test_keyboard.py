"""A clerk and a steward in a browser by the keyboard alone: a file with five planted faults from template to publication.

And files that are not even sent.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import openpyxl
import pytest
from playwright.sync_api import Browser, BrowserContext, FileChooser

from etl.extract.contract import contract
from etl.submissions.originals import MOST_FILES, MOST_OF_FILE
from tests.access.gated import AUTH, cookie
from tests.browser import app as front
from tests.browser.test_every_part import PHONE, WIDE, too_wide
from tests.effort import draws
from tests.loading import national_id
from tests.submissions.conftest import PEOPLE, Office, person
from tests.submissions.test_commands import variables
from tests.submissions.test_way import in_service
from ui.i18n import text

pytestmark = [pytest.mark.browser, pytest.mark.slow]
# From one place that a person looks for to the next.
_MOST_TABS, _MOST_TRIES = 60, 5
_SECONDS = 120_000
_WHY = "قرارداد ده نفر در آبان پایان یافت"
# The faults by the column in which each comes back, and what is right. The fifth is a row that stands twice.
PLANTED = {
    "national_id": ("1234567890", national_id(155_000)),
    "county": ("ناکجاآباد", "شیراز"),
    "birth_date": ("1370/13/01", "1370/01/01"),
    "province": ("اصفهان", "فارس"),
}
# What a finger presses in the parts of a submission, and is smaller than that.
_SMALL = """() => [...document.querySelectorAll(
    "hand_in receipt returned confirm decide- matrix publish note".split(" ")
        .map((part) => `[class*=st-key-figure-${part}]`).concat(".st-key-hand-in-steps").join())]
    .flatMap((part) => [...part.querySelectorAll(
        "button, a[href], summary, textarea, [data-testid=stTextInputRootElement], [data-testid=stSelectbox] [role=group], " +
        "[data-testid=stCheckbox] label")])
    .filter((at) => at.checkVisibility() && !at.closest("[role=group] > *"))
    .map((at) => [at.textContent || at.ariaLabel || at.className, at.getBoundingClientRect()])
    .filter(([name, box]) => box.width && (box.width < 43.5 || box.height < 43.5))
    .map(([name, box]) => `${name}: ${box.width} × ${box.height}`)"""

# What Streamlit does to the tabs while the page is drawn anew, and when it is drawn.
_DISABLE = """(tab) => { tab.setAttribute("aria-disabled", "true"); tab.removeAttribute("tabindex"); }"""
_ENABLE = """(tab) => { tab.setAttribute("tabindex", "0"); tab.removeAttribute("aria-disabled"); }"""

# The tables of a submission that scroll sideways.
_SIDEWAYS = """() => [...document.querySelectorAll("hand_in earlier returned single receipt changes matrix moved audit".split(" ")
    .map((table) => `.st-key-table-${table} .pd-scroll`).join())]
    .filter((frame) => frame.scrollWidth > frame.clientWidth)
    .map((frame) => `${frame.ariaLabel}: ${frame.scrollWidth} > ${frame.clientWidth}`)"""


@contextmanager
def served(office: Office, folder: Path) -> Iterator[str]:
    """The dashboard where a clerk of Fars and a steward sign in; its address."""
    (folder / "secrets.toml").write_text(AUTH, encoding="utf-8")
    (folder / "secrets.toml").chmod(0o600)
    signing = {
        "POLICEYAR_SIGN_IN_MODE": "oidc",
        "POLICEYAR_SIGN_IN_ACCESS": str(office.settings.sign_in.access),
        "POLICEYAR_SIGN_IN_SECRETS": str(folder / "secrets.toml"),
        "VIEWS": str(folder / "views"),
    }
    environment = variables(office) | signing
    with front.served(Path(environment.pop("WAREHOUSE")), **environment) as address:
        yield address


@dataclass
class Keys:
    """Somebody who is signed in and has no mouse."""

    reader: front.Visit
    pressed: int = 0

    @classmethod
    def of(cls, who: str, context: BrowserContext, origin: str) -> Keys:
        """The person who signs in; the one before has signed out of this browser."""
        context.clear_cookies()
        name, _, value = cookie(sub=who, groups=[PEOPLE[who]])["Cookie"].partition("=")
        context.add_cookies([{"name": name, "value": value, "url": origin}])
        page = context.new_page()
        reader = front.Visit(origin, page, front.Runs(page))
        page.on("pageerror", lambda error: reader.failures.append(str(error)))
        page.on("request", lambda request: reader.requests.append(request.url))
        page.goto(origin)
        reader.settle()
        return cls(reader)

    def press(self, key: str) -> None:
        self.reader.page.keyboard.press(key)
        self.pressed += 1

    def has(self, selector: str) -> bool:
        """Whether an element has the focus."""
        return self.reader.page.evaluate("(selector) => document.activeElement?.matches(selector)", selector)

    def to(self, selector: str, key: str = "Tab") -> None:
        """Press a key until an element has the focus."""
        for _ in range(_MOST_TABS):
            if self.has(selector):
                return
            self.press(key)
        pytest.fail(f"{selector} is not reached by the keyboard")

    def enter(self, selector: str) -> None:
        self.to(selector)
        self.press("Enter")
        self.reader.settle()

    def fetch(self, selector: str) -> bytes:
        """The file behind a link."""
        self.to(selector)
        with self.reader.page.expect_download() as download:
            self.press("Enter")
        return Path(download.value.path()).read_bytes()

    def choose(self, path: Path, office: Office) -> None:
        """Hand in a file, and have it checked."""
        chosen: list[FileChooser] = []
        self.reader.page.once("filechooser", lambda chooser: chosen.append(chooser))
        for _ in range(_MOST_TRIES):
            # A key that meets a page being drawn anew is pressed again, as a person does.
            self.reader.settle()
            self.to(".pd-drop button")
            self.press("Enter")
            self.reader.settle()
            if chosen:
                break
        with self.reader.page.expect_response(lambda response: response.request.method == "PUT") as answer:
            chosen[0].set_files(path)
        assert answer.value.status == 204
        self.reader.settle()
        assert self.says("hand_in.is", state=text.word("submission.checking", "fa"))
        office.work()
        self.reader.page.wait_for_selector(".st-key-figure-returned")
        self.reader.settle()
        assert self.has(".pd-drop button"), "the focus stays where it was"

    def says(self, key: str, **values: str) -> bool:
        return text.word(key, "fa", **values) in self.reader.page.locator("main").inner_text()

    def is_answered(self, words: str) -> bool:
        """Whether the focus is on a line that says what a step came to."""
        self.reader.page.wait_for_function("() => document.activeElement?.matches('.pd-answer')")
        return words in self.reader.page.evaluate("() => document.activeElement.textContent")

    def on_a_phone(self) -> list[str]:
        """What is too wide for a phone, or too small for a finger."""
        self.reader.page.set_viewport_size(PHONE)
        self.reader.settle()
        found = too_wide(self.reader) + self.reader.page.evaluate(_SMALL) + self.reader.page.evaluate(_SIDEWAYS)
        self.reader.page.set_viewport_size(WIDE)
        self.reader.settle()
        return found


def filled(template: bytes, path: Path) -> None:
    """Fill the template in with 20 of 30 people and five faulty rows."""
    book = openpyxl.load_workbook(io.BytesIO(template))
    sheet = book.worksheets[0]
    people = [person(100_000 + at, "فارس", "100") for at in range(20)]
    faulty = [
        person(155_000 + at, "فارس", "100") | {column: wrong} for at, (column, (wrong, _)) in enumerate(PLANTED.items())
    ]
    faulty[-1]["institute_code"] = "200"
    names = {column.headers[0]: column.name for column in contract("personnel").columns}
    columns = [names[cell.value] for cell in sheet[2]]
    for row in (*people, *faulty, people[0]):
        sheet.append([row.get(name, "") for name in columns])
    book.save(path)


def corrected(path: Path, returned: bytes) -> set[str]:
    """Correct the file as the workbook of returned rows says: the row, the column by its header; the columns corrected."""
    book = openpyxl.load_workbook(path)
    sheet = book.worksheets[0]
    at = {cell.value: cell.column for cell in sheet[2]}
    names = {column.headers[0]: column.name for column in contract("personnel").columns}
    head, *rows = openpyxl.load_workbook(io.BytesIO(returned)).active.iter_rows(values_only=True)
    done = set()
    for row in rows:
        told = dict(zip(head, row, strict=True))
        number = int("".join(sign for sign in told["محل"].rpartition("،")[2] if sign.isdigit()))
        wrong, right = PLANTED[names[told["ستون"]]]
        cell = sheet.cell(number, at[told["ستون"]])
        assert (cell.value, told[told["ستون"]]) == (wrong, wrong)
        cell.value = right
        if names[told["ستون"]] == "province":
            sheet.cell(number, at["کد موسسه"]).value = "100"
        done.add(names[told["ستون"]])
    book.save(path)
    return done


def refuse_sent(reader: front.Visit, folder: Path) -> None:
    """A file too large and files too many are refused before a byte is sent."""
    large, empty = folder / "personnel_large.csv", folder / "personnel_empty.csv"
    with large.open("wb") as file:
        file.truncate(MOST_OF_FILE + 1)
    empty.touch()
    many = [folder / f"training_{number}.csv" for number in range(MOST_FILES + 1)]
    for path in many:
        path.write_text("a")
    for lang, sentences in (
        ("en", ("a file has at most 200 MiB", "the file is empty", "a submission has at most 100 files")),
        ("fa", ("حجم هر فایل حداکثر ۲۰۰ مگابایت است", "فایل خالی است", "هر ارسال حداکثر ۱۰۰ فایل دارد")),
    )[draws(1, 0) :]:
        if draws(0, 1):
            reader.go("handin", **({"lang": lang} if lang == "en" else {}))
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


def test_five_planted_faults_are_found_corrected_approved_and_published_by_the_keyboard_alone(
    office: Office, chromium: Browser, tmp_path: Path
):
    with served(office, tmp_path) as origin:
        context = chromium.new_context(viewport=WIDE, accept_downloads=True)
        context.set_default_timeout(_SECONDS)
        clerk = Keys.of("fars.clerk", context, origin)
        assert "tab=handin" in clerk.reader.page.url
        refuse_sent(clerk.reader, tmp_path)
        assert not [one.files for one in office.desk.records.all() if one.files]
        path = tmp_path / "personnel_IR-07.xlsx"
        filled(clerk.fetch("a[href*='template/personnel']"), path)
        office.only_rows = True
        clerk.choose(path, office)
        office.only_rows = False
        assert clerk.says("hand_in.adds_up", read="۲۵", loaded="۲۱", back="۳")
        assert clerk.says("hand_in.twice", count="۱")
        assert clerk.says("hand_in.warned", count="۱")
        assert clerk.on_a_phone() == []
        assert corrected(path, clerk.fetch("a[href*='rows.xlsx']")) == {*PLANTED}
        clerk.choose(path, office)
        assert clerk.says("hand_in.all_accepted")
        (one,) = office.desk.records.all()
        boxes = clerk.reader.page.locator("[class*=st-key-confirm-] input[type=checkbox]").count()
        if boxes:
            clerk.enter(".st-key-hand-in-submit button")
            assert clerk.is_answered("علامت بزنید"), "what is unusual is to be confirmed"
        for number in range(boxes):
            clerk.to(f".st-key-confirm-{one.id}-{number} input")
            clerk.press("Space")
            clerk.reader.settle()
        for name in one.result["jumps"]:
            clerk.to(f".st-key-why-{one.id}-{name} textarea")
            clerk.reader.page.keyboard.type(_WHY)
            clerk.pressed += len(_WHY)
        clerk.enter(".st-key-hand-in-submit button")
        assert clerk.is_answered(one.id), "the receipt is named"
        clerk.reader.page.wait_for_selector(".st-key-figure-receipt")
        clerk.reader.settle()
        assert clerk.on_a_phone() == []
        (one,) = office.desk.records.all()
        assert (one.state, [file.number for file in one.files], {*one.reasons.values()}) == ("submitted", [1], {_WHY})

        steward = Keys.of("data.steward", context, origin)
        steward.enter("[data-testid=stSidebarNavLink][href*=quality]")
        steward.to("[role=tab]")
        tab = steward.reader.page.locator("[role=tab]").first
        tab.evaluate(_DISABLE)
        assert steward.has("body")
        tab.evaluate(_ENABLE)
        assert steward.has("[role=tab]"), "the tab that lost the focus gets it back"
        # A tab that is drawn anew when a key arrives is chosen again, as a person does.
        steward.to("[role=tab]:last-of-type", "ArrowLeft")
        steward.enter("[role=tab]:last-of-type")
        assert "tab=approve" in steward.reader.page.url
        told = steward.reader.page.locator("[data-testid=stSidebarNavLink] code")
        assert told.all_inner_texts() == ["۱"], "the menu says how many wait"
        steward.enter(f".st-key-approve-{one.id} button")
        assert steward.is_answered(
            text.word("hand_in.is_approved", "fa", place="فارس", month=text.unit_label(one.month, "fa"))
        )
        told.wait_for(state="detached")
        office.work()
        steward.reader.page.wait_for_selector(".st-key-table-moved")
        steward.reader.settle()
        assert steward.has(".pd-answer"), (
            "what was said, and the focus on it, stay when the page is drawn anew by itself"
        )
        assert steward.on_a_phone() == []
        steward.enter(".st-key-hand-in-publish button")
        assert steward.is_answered("علامت بزنید"), "what is left out on purpose is to be confirmed"
        for key in ("publish-notes", "publish-without"):
            steward.to(f".st-key-{key} input", "Shift+Tab")
            steward.press("Space")
            steward.reader.settle()
        steward.enter(".st-key-hand-in-publish button")
        office.work()
        assert office.desk.records.get(one.id).state == "published"
        assert in_service(office, "IR-07") == 24
        assert clerk.reader.failures == steward.reader.failures == []
        context.close()
    # Letters included: a key in two seconds is ten minutes for the clerk.
    assert (clerk.pressed <= 300, steward.pressed <= 100) == (True, True), (clerk.pressed, steward.pressed)
