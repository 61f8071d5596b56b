"""A clean register rewritten by a random clerk loads to the same models; every spoilt row is reported with its line."""

# ruff: noqa: E501
from __future__ import annotations

import csv
import io
import random
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from persiantools.jdatetime import JalaliDate

from etl.core.text_folding import printable
from etl.extract.contract import contract
from etl.warehouse import publications
from tests.effort import draws
from tests.extract.test_clerks import WRITERS
from tests.loading import HEADERS, Built, build_tables, digest, load, national_id, put

pytestmark = pytest.mark.slow

# Tables about files, not about their content.
OF_FILES = ("load_files", "quarantine", "warned")
SEEDS = range(draws(1, 5))
MONTHS = ("فروردین", "اردیبهشت", "خرداد", "تیر", "مرداد", "شهریور", "مهر", "آبان", "آذر", "دی", "بهمن", "اسفند")
NAMES = {"institutes": "مؤسسات", "licences": "مجوزها", "personnel": "کارکنان", "training": "آموزش"}
# What Windows-1256 cannot hold: Persian ye, the digits of Persian and Arabic, their separators, marks of direction.
WITHOUT_PERSIAN = str.maketrans("ی۰۱۲۳۴۵۶۷۸۹٠١٢٣٤٥٦٧٨٩٫", "ي" + "0123456789" * 2 + ".", "٬\u202b\u202c")
StreamedRows = list[dict[str, str]]


def clean(chance: random.Random) -> dict[str, StreamedRows]:
    """A small register as in the contract: ISO days, listed words, plain digits."""

    def day(first: int, last: int) -> str:
        return (date(2020, 1, 1) + timedelta(chance.randrange(first, last))).isoformat()

    def maybe(value: str) -> str:
        return value if chance.random() < 0.7 else ""

    provinces = ["تهران", "کرمان", "یزد", "گیلان"]
    institutes = [
        {
            "institute_code": f"{at:04}", "name": f"نگهبان {at}", "province": chance.choice(provinces),
            "activity": chance.choice(list(column("institutes", "activity").values)), "founded_on": maybe(day(-2000, 0)),
            "status": "active", "smart_services": maybe(chance.choice(["yes", "no"])), "veteran_led": maybe("no"),
        }
        for at in range(8)
    ]  # fmt: skip
    licences = [
        {
            "application_no": f"L{at}", "institute_code": f"{at % 8:04}", "kind": "new", "applied_on": day(0, 50), "decided_on": day(100, 150),
            "outcome": "granted", "valid_from": day(150, 160), "valid_until": day(1200, 3000),
        }
        for at in range(12)
    ]  # fmt: skip
    personnel = [
        {
            "national_id": national_id(3_000_000 + at), "first_name": "نام", "institute_code": f"{chance.randrange(8):04}",
            "province": chance.choice(provinces), "gender": chance.choice(["male", "female"]), "birth_date": day(-15_000, -9_000),
            "education": maybe(chance.choice(list(column("personnel", "education").values))),
            "post": chance.choice(list(column("personnel", "post").values)), "hired_on": day(200, 1000), "veteran": maybe("yes"),
        }
        for at in range(60)
    ]  # fmt: skip
    training = [
        {
            "national_id": national_id(3_000_000 + at % 60), "course_code": chance.choice(["PY-101", "PY-401"]), "completed_on": day(1000, 2000),
            "hours": maybe(str(chance.choice([8, 40, 500, 72.5]))), "score": maybe(str(chance.randrange(101))), "result": "passed",
        }
        for at in range(180)
    ]  # fmt: skip
    unique = {(course["national_id"], course["course_code"], course["completed_on"]): course for course in training}
    return {"institutes": institutes, "licences": licences, "personnel": personnel, "training": list(unique.values())}


def column(table: str, name: str):
    return next(entry for entry in contract(table).columns if entry.name == name)


@dataclass
class Clerk:
    """Writes each cell, each header and each file by a random habit."""

    chance: random.Random

    def digits(self, text: str) -> str:
        script = self.chance.choice(["0123456789", "0123456789", "۰۱۲۳۴۵۶۷۸۹", "٠١٢٣٤٥٦٧٨٩"])
        return text.translate(str.maketrans("0123456789", script))

    def word(self, text: str) -> str:
        return self.chance.choice(
            [
                text,
                text.replace("ی", "ي").replace("ک", "ك"),
                text.replace(" ", "\u200c"),
                f" {text} ",
                text.replace("ا", "أ", 1),
                text.replace("ر", "رـ", 1),
                f"\u202b{text}\u202c",
            ]
        )

    def day(self, text: str) -> str:
        day = date.fromisoformat(text)
        jalali = JalaliDate(day)
        year, month, number = jalali.year, jalali.month, jalali.day
        mark = self.chance.choice("/-")
        forms = [
            text, text.replace("-", "/"), text.replace("-", "."), text.replace("-", ""), f"{day.year}/{day.month}/{day.day}",
            f"{year:04}{mark}{month:02}{mark}{number:02}", f"{year}{mark}{month}{mark}{number}", f"{year:04}{month:02}{number:02}",
            f"{year}.{month}.{number}", f"{year} / {month:02} / {number:02}", f"{number:02}/{month:02}/{year}", f"{number}.{month}.{year}",
            f"{number} {MONTHS[month - 1]} {year}", f"{year}/{month:02}/{number:02} 00:00:00", f"{text}T00:00:00",
        ]  # fmt: skip
        return self.digits(self.chance.choice(forms))

    def number(self, text: str) -> str:
        value = float(text)
        grouped = f"{value:,.10g}".replace(",", "٬")
        return self.digits(self.chance.choice([text, text, grouped]).replace(".", self.chance.choice([".", "٫"])))

    def identity(self, text: str) -> str:
        forms = [text, text, f"{text[:3]}-{text[3:9]}-{text[9]}", f"{text[:3]} {text[3:]}"]
        if text.startswith("0") and not text.startswith("000"):
            forms.append(text.lstrip("0"))
        return self.digits(self.chance.choice(forms))

    def cell(self, table: str, name: str, text: str) -> str:
        rule = column(table, name)
        if not text:
            return (
                self.chance.choice(["", "", "-", "–", "ـ", ".", " "]) if rule.type not in ("text", "never_read") else ""
            )
        if rule.type == "date":
            return self.day(text)
        if rule.type == "number":
            return self.number(text)
        if rule.type == "national_id":
            return self.identity(text)
        if rule.type == "choice":
            words = [text, text.upper(), rule.values[text], *rule.also.get(text, ())]
            return self.word(self.chance.choice(words))
        if rule.type == "yes_no":
            yes = ["yes", "Y", "بلی", "بله", "آری", "دارد", "1", "TRUE"]
            return self.word(
                self.chance.choice(yes if text == "yes" else ["no", "N", "خیر", "نه", "ندارد", "۰", "false"])
            )
        if rule.type == "province":
            return self.word(text).replace("أ", "ا")
        return self.digits(text) if rule.type == "code" else text

    def header(self, table: str, name: str) -> str:
        title = self.word(self.chance.choice([name, *column(table, name).headers]))
        return title + self.chance.choice(["", "", "", " *", ":", " (اجباری)", " [x] *"])

    def file(self, table: str, rows: StreamedRows, folder: Path, at: int) -> str:
        """Write the rows and return the name of the file. Files sort in the order written; rows keep their order."""
        names = HEADERS[table].split()
        chosen = [name for name in names if column(table, name).required or any(row.get(name) for row in rows)]
        self.chance.shuffle(chosen)
        cells = [[self.cell(table, name, row.get(name, "")) for name in chosen] for row in rows]
        titles = [self.header(table, name) for name in chosen]
        if self.chance.random() < 0.3:
            titles.insert(1, "توضیحات")
            cells = [[*row[:1], "x", *row[1:]] for row in cells]
        above = [[f"گزارش {at}"] for _ in range(self.chance.choice([0, 0, 1, 3]))]
        ending = self.chance.choice([".csv", ".csv", ".tsv", ".parquet", *WRITERS])
        beginning = self.chance.choice([table, table.upper(), NAMES[table], self.word(NAMES[table]).strip(), "فایل"])
        if beginning == "فایل":
            # Recognised by its headers alone.
            beginning = f"فایل {table[0]}"
        name = f"{beginning} {at}{ending}"
        if ending in WRITERS:
            half = self.chance.choice([0, len(cells) // 2])
            sheets = {"الف": [*above, titles, *cells[:half]]} if half else {}
            sheets |= {"راهنما": [["راهنما"]], "ب": [*above, titles, *cells[half:]]}
            WRITERS[ending](folder / name, sheets)
            return name
        if ending == ".parquet":
            columns = zip(titles, zip(*cells, strict=True), strict=True)
            pq.write_table(pa.table({title: pa.array(texts, pa.string()) for title, texts in columns}), folder / name)
            return name
        mark = "\t" if ending == ".tsv" else self.chance.choice(",;|\t")
        out = io.StringIO()
        if self.chance.random() < 0.3:
            out.write(f"sep={mark}\n")
        end = self.chance.choice(["\n", "\r\n"])
        quoting = self.chance.choice([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
        csv.writer(out, delimiter=mark, lineterminator=end, quoting=quoting).writerows([*above, titles, *cells])
        encoding = self.chance.choice(["utf-8", "utf-8-sig", "utf-16", "cp1256"])
        text = out.getvalue().translate(WITHOUT_PERSIAN) if encoding == "cp1256" else out.getvalue()
        put(folder, name, text.encode(encoding))
        return name

    def rewrite(self, register: dict[str, StreamedRows], folder: Path) -> dict[str, list[tuple[str, int]]]:
        """Write a register; returns, by table, the name of each file and the number of its rows."""
        folder.mkdir(parents=True)
        rewritten: dict[str, list[tuple[str, int]]] = {}
        for table, rows in register.items():
            # Models number persons in the order in which they are read, so personnel stays in one file.
            rewritten[table] = [(self.file(table, rows, folder, 1), len(rows))]
        return rewritten


def plain(register: dict[str, StreamedRows], folder: Path) -> Path:
    """The register as in the contract."""
    for table, rows in register.items():
        out = io.StringIO()
        writer = csv.DictWriter(out, HEADERS[table].split(), restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        put(folder, f"{table}.csv", out.getvalue())
    return folder


def models(built: Built) -> str:
    assert built.code == 0, built.err
    with publications.connect(built.to) as con:
        return digest(con, OF_FILES)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_register_rewritten_by_a_clerk_loads_to_the_same_models(tmp_path, seed):
    chance = random.Random(seed)
    register = clean(chance)
    ours = build_tables(plain(register, tmp_path / "plain" / "incoming"))
    rewritten = Clerk(chance).rewrite(register, tmp_path / "clerk" / "incoming")
    theirs = build_tables(tmp_path / "clerk" / "incoming")
    assert theirs.code == 0, theirs.err
    assert theirs.rejected_rows() == []
    assert theirs.sql("from warned") == []
    for table, files in rewritten.items():
        for name, rows in files:
            assert theirs.counts(printable(name)) == (rows, rows, 0, 0), (table, name)
    assert models(theirs) == models(ours)


SPOIL: dict[tuple[str, str], list[str]] = {
    ("institutes", "activity"): ["سایر", "?"],
    ("institutes", "founded_on"): ["1402/12/30", "45123", "31/06/2024"],
    ("institutes", "veteran_led"): ["شاید"],
    ("licences", "applied_on"): ["98/05/12", "1403/13/01", "", "31 سپتامبر 1403"],
    ("licences", "kind"): ["؟"],
    ("personnel", "national_id"): ["1.23E+09", "123", "1111111111", "", "-"],
    ("personnel", "birth_date"): ["1403/06/31 10:30:00", "."],
    ("personnel", "education"): ["حوزوی"],
    ("personnel", "gender"): ["نامعلوم", "–"],
    ("training", "hours"): ["17,5", "۸۵٪"],
    ("training", "score"): ["17/5", "101", "85%"],
    ("training", "completed_on"): ["1499/01/01", "۳۲ شهریور ۱۴۰۳"],
    ("training", "course_code"): ["XX"],
}


@pytest.mark.parametrize("seed", SEEDS)
def test_every_spoilt_row_is_reported_with_its_line(tmp_path, seed):
    chance = random.Random(1000 + seed)
    register = clean(chance)
    # No other row refers to these, so a fault rejects one row only.
    more = {
        "institutes": [{**register["institutes"][0], "institute_code": f"9{at:03}"} for at in range(6)],
        "licences": [{**register["licences"][0], "application_no": f"M{at}"} for at in range(6)],
        "personnel": [{**register["personnel"][0], "national_id": national_id(4_000_000 + at)} for at in range(9)],
        "training": [{**register["training"][0], "completed_on": f"2025-01-{at + 1:02}"} for at in range(9)],
    }
    spoilt: dict[str, dict[int, tuple[str, str]]] = {}
    for table, rows in more.items():
        register[table] = [*register[table], *rows]
        chance.shuffle(register[table])
        spoilt[table] = {}
        for at, record in enumerate(register[table]):
            if record in rows:
                name = chance.choice([name for of, name in SPOIL if of == table])
                spoilt[table][at] = name, chance.choice(SPOIL[table, name])
    clerk = _Spoiler(chance, {id(register[table][at]): what for table in spoilt for at, what in spoilt[table].items()})
    rewritten = clerk.rewrite(register, tmp_path / "incoming")
    built = load(tmp_path / "incoming")
    assert built.code == 0, built.err
    reported = set(
        built.sql("select source_table, sheet, line, column_name from (from quarantine union all from warned)")
    )
    assert reported == {
        (table, *clerk.places[table][at], name) for table, rows in spoilt.items() for at, (name, _) in rows.items()
    }
    rejected = {
        table: sum(column(table, name).bad == "reject" for name, _ in rows.values()) for table, rows in spoilt.items()
    }
    for table, ((name, rows),) in rewritten.items():
        entry = built.file(printable(name))
        assert (entry["rows_read"], entry["rows_quarantined"], entry["rows_warned"]) == (
            rows,
            rejected[table],
            len(spoilt[table]) - rejected[table],
        )


class _Spoiler(Clerk):
    """A clerk who also spoils some cells, and records the place of each row: (sheet, line)."""

    def __init__(self, chance: random.Random, spoil: dict[int, tuple[str, str]]) -> None:
        super().__init__(chance)
        self.spoil = spoil
        self.places: dict[str, list[tuple[str | None, int]]] = {}

    def file(self, table: str, rows: StreamedRows, folder: Path, at: int) -> str:
        spoilt_rows = []
        for row in rows:
            name, bad = self.spoil.get(id(row), ("", ""))
            spoilt_rows.append(row | {name: f"\0{bad}"} if name else row)
        name = super().file(table, spoilt_rows, folder, at)
        self.places[table] = _places(folder / name, len(rows))
        return name

    def cell(self, table: str, name: str, text: str) -> str:
        """A spoilt cell is written as it is."""
        return text[1:] if text.startswith("\0") else super().cell(table, name, text)


def _places(path: Path, rows: int) -> list[tuple[str | None, int]]:
    """The place of each row, counted from the end of the file."""
    if path.suffix in WRITERS:
        from python_calamine import CalamineWorkbook

        book = CalamineWorkbook.from_path(str(path))
        places: list[tuple[str | None, int]] = []
        for name in book.sheet_names:
            lines = [
                at for at, cells in enumerate(book.get_sheet_by_name(name).iter_rows(), 1) if sum(map(bool, cells)) > 2
            ]
            places += [(name, at) for at in lines[1:]]
        return places
    if path.suffix == ".parquet":
        return [(None, at + 1) for at in range(rows)]
    text = path.read_bytes()
    is_utf16 = text[:2] in (b"\xff\xfe", b"\xfe\xff")
    lines = len(text.decode("utf-16").splitlines() if is_utf16 else text.splitlines())
    return [(None, lines - rows + at + 1) for at in range(rows)]
