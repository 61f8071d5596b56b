"""The oracle's reader: a folder of source files becomes typed rows, faults and counts.

A second, independent implementation of the contract of the source files, in plain Python and as simple
as possible, so that the pipeline can be compared with it. It never imports etl.
"""

from __future__ import annotations

import csv
import io
import re
import tomllib
import unicodedata
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow.parquet
from persiantools.jdatetime import JalaliDate

ETL = Path(__file__).parents[2] / "etl"
REFERENCE = Path(__file__).parents[2] / "data" / "reference"
ENDINGS = (".csv", ".tsv", ".xlsx", ".parquet")
# A bad value of these loads as unknown; of every other column it rejects the row.
UNKNOWN = {
    "county",
    "education",
    "leave_reason",
    "smart_services",
    "veteran_led",
    "veteran",
    "founded_on",
    "hours",
    "score",
}

# ------------------------------------------------------------------ the contract, as a table
# column: (type, required, Persian headers); a column of several tables has the same headers in each
COLUMNS: dict[str, dict[str, tuple[str, bool, tuple[str, ...]]]] = {
    "institutes": {
        "institute_code": ("code", True, ("کد موسسه", "شناسه موسسه")),
        "name": ("text", True, ("نام موسسه",)),
        "province": ("province", True, ("استان",)),
        "county": ("county", False, ("شهرستان",)),
        "activity": ("activity", True, ("نوع فعالیت", "زمینه فعالیت")),
        "founded_on": ("date", False, ("تاریخ تاسیس",)),
        "status": ("status", True, ("وضعیت",)),
        "status_since": ("date", False, ("تاریخ وضعیت",)),
        "smart_services": ("yesno", False, ("خدمات هوشمند",)),
        "veteran_led": ("yesno", False, ("مدیریت پیشکسوت",)),
    },
    "licences": {
        "application_no": ("code", True, ("شماره درخواست",)),
        "institute_code": ("code", True, ("کد موسسه", "شناسه موسسه")),
        "kind": ("kind", True, ("نوع درخواست",)),
        "applied_on": ("date", True, ("تاریخ درخواست",)),
        "file_complete_on": ("date", False, ("تاریخ تکمیل پرونده",)),
        "decided_on": ("date", False, ("تاریخ تصمیم",)),
        "outcome": ("outcome", False, ("نتیجه",)),
        "licence_no": ("text", False, ("شماره مجوز",)),
        "valid_from": ("any_date", False, ("شروع اعتبار",)),
        "valid_until": ("any_date", False, ("پایان اعتبار",)),
    },
    "personnel": {
        "national_id": ("national_id", True, ("کد ملی", "کدملی", "شماره ملی")),
        "first_name": ("ignored", False, ("نام",)),
        "last_name": ("ignored", False, ("نام خانوادگی",)),
        "institute_code": ("code", True, ("کد موسسه", "شناسه موسسه")),
        "province": ("province", True, ("استان", "استان محل خدمت")),
        "county": ("county", False, ("شهرستان", "شهرستان محل خدمت")),
        "gender": ("gender", True, ("جنسیت",)),
        "birth_date": ("date", True, ("تاریخ تولد",)),
        "education": ("education", False, ("تحصیلات", "مدرک تحصیلی")),
        "post": ("post", True, ("سمت", "پست")),
        "hired_on": ("date", True, ("تاریخ شروع", "تاریخ استخدام")),
        "left_on": ("any_date", False, ("تاریخ پایان",)),
        "leave_reason": ("leave_reason", False, ("علت پایان",)),
        "judicial_officer_from": ("date", False, ("شروع ضابط قضایی",)),
        "judicial_officer_until": ("any_date", False, ("پایان ضابط قضایی",)),
        "veteran": ("yesno", False, ("پیشکسوت",)),
    },
    "training": {
        "national_id": ("national_id", True, ("کد ملی", "کدملی", "شماره ملی")),
        "course_code": ("course", True, ("کد دوره",)),
        "completed_on": ("date", True, ("تاریخ دوره", "تاریخ گذراندن")),
        "hours": ("hours", False, ("ساعت", "مدت")),
        "score": ("score", False, ("نمره",)),
        "result": ("result", True, ("نتیجه",)),
    },
}
KEYS = {
    "institutes": ("institute_code",),
    "licences": ("application_no",),
    "personnel": ("national_id", "institute_code", "hired_on"),
    "training": ("national_id", "course_code", "completed_on", "result"),
}
# The column that refers to another table, that table, and the reason of a row whose value it does not have.
PARENTS = {
    "licences": ("institute_code", "institutes", "orphan_institute"),
    "personnel": ("institute_code", "institutes", "orphan_institute"),
    "training": ("national_id", "personnel", "orphan_person"),
}
LISTS = {
    "activity": {
        "guarding": "حفاظت فیزیکی",
        "patrol": "گشت",
        "events": "مراسم",
        "cash_transit": "حمل پول",
        "monitoring": "پایش تصویری",
        "escort": "همراه",
    },
    "status": {
        "applicant": "متقاضی",
        "active": "فعال",
        "suspended": "تعلیق",
        "revoked": "لغو",
        "closed": "منحل",
    },
    "kind": {"new": "جدید", "renewal": "تمدید"},
    "outcome": {"granted": "صادر", "refused": "رد", "withdrawn": "انصراف"},
    "gender": {"male": "مرد", "female": "زن"},
    "education": {
        "below_diploma": "زیر دیپلم",
        "diploma": "دیپلم",
        "associate": "کاردانی",
        "bachelor": "کارشناسی",
        "master": "کارشناسی ارشد",
        "doctorate": "دکتری",
    },
    "post": {
        "guard": "نگهبان",
        "team_leader": "سرتیم",
        "operator": "اپراتور",
        "manager": "مدیر",
    },
    "leave_reason": {
        "resigned": "استعفا",
        "contract_end": "پایان قرارداد",
        "transferred": "انتقال",
        "dismissed": "اخراج",
        "retired": "بازنشستگی",
        "died": "فوت",
    },
    "result": {"passed": "قبول", "failed": "مردود"},
}
ALSO = {
    "male": ("آقا", "مذکر", "M"),
    "female": ("خانم", "مؤنث", "F"),
    "below_diploma": ("سیکل", "زیردیپلم", "ابتدایی"),
    "associate": ("فوق دیپلم",),
    "bachelor": ("لیسانس",),
    "master": ("فوق لیسانس",),
    "doctorate": ("دکترا",),
    "team_leader": ("سر تیم",),
}


def _more_dimensions() -> tuple[str, ...]:
    """Dimensions of personnel that are declared but not written above, each read as the contract says.

    So a new dimension is counted a second time without an entry here.
    """
    declared = tomllib.loads((ETL / "semantic" / "dimensions.toml").read_text(encoding="utf-8"))
    contract = tomllib.loads((ETL / "extract" / "contracts" / "personnel.toml").read_text(encoding="utf-8"))
    names = []
    for column in contract["column"]:
        name = column["name"]
        if name in declared and name not in COLUMNS["personnel"]:
            COLUMNS["personnel"][name] = (name, column.get("required", False), tuple(column["headers"]))
            LISTS[name] = column["values"]
            ALSO.update({value: tuple(words) for value, words in column.get("also", {}).items()})
            if column["bad"] == "unknown":
                UNKNOWN.add(name)
            names.append(name)
    return tuple(names)


MORE = _more_dimensions()
# Words for no value: in every column, and in those of which they say that something has not happened yet.
NOTHING = ("null", "ندارد")
NOT_YET = {
    **dict.fromkeys(
        ("left_on", "leave_reason"), ("تاکنون", "تا کنون", "شاغل", "در حال خدمت", "مشغول به خدمت", "ادامه دارد")
    ),
    "judicial_officer_until": ("تاکنون", "تا کنون", "ادامه دارد"),
    **dict.fromkeys(("decided_on", "outcome"), ("در حال بررسی", "در دست بررسی", "در جریان", "در انتظار")),
}
YES = ("yes", "بلی", "بله", "آری", "دارد", "1", "true", "y")
NO = ("no", "خیر", "نه", "ندارد", "0", "false", "n")


# ------------------------------------------------------------------ words, digits, days
@cache
def fold(text: str) -> str:
    """Arabic ye and kaf to Persian, digits to Latin, ZWNJ and runs of spaces to one space; tatweel and diacritics
    removed, letter case ignored."""
    out = []
    for char in unicodedata.normalize("NFC", text):
        if char in "يى":
            char = "ی"
        elif char == "ك":
            char = "ک"
        elif char in "أإؤئۀ":
            char = "ااویه"["أإؤئۀ".index(char)]
        elif char in "\u200c\u00a0":
            char = " "
        elif char in "\u0640\u200d\u200e\u200f\ufeff" or unicodedata.category(char) == "Mn":
            continue
        out.append(char)
    return latin_digits(" ".join("".join(out).split()).lower())


@cache
def latin_digits(text: str) -> str:
    for script in ("۰۱۲۳۴۵۶۷۸۹", "٠١٢٣٤٥٦٧٨٩"):
        for value, digit in enumerate(script):
            text = text.replace(digit, str(value))
    return text


class Fault(Exception):
    """A value that cannot be loaded; its argument is the reason."""


def read_day(text: str) -> date:
    text = re.sub(r"[ T]0?0:00(:00)?$", "", latin_digits(text).strip(), flags=re.IGNORECASE)
    match = re.fullmatch(r"(\d{4})([/-])(\d{1,2})\2(\d{1,2})", text)
    if match:
        year, month, day = int(match[1]), int(match[3]), int(match[4])
    elif re.fullmatch(r"\d{8}", text):
        year, month, day = int(text[:4]), int(text[4:6]), int(text[6:])
    else:
        raise Fault("bad_date")
    try:
        return JalaliDate(year, month, day).to_gregorian() if year < 1600 else date(year, month, day)
    except ValueError:
        raise Fault("bad_date") from None


def add_months(day: date, months: int) -> date:
    """31 January + 1 = the last of February (Gregorian)."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    month += 1
    for last in (day.day, 30, 29, 28):
        try:
            return date(year, month, min(day.day, last))
        except ValueError:
            continue
    raise AssertionError


def check_digit_ok(digits: str) -> bool:
    total = sum(int(digit) * weight for digit, weight in zip(digits, range(10, 1, -1), strict=False))
    rest = total % 11
    return int(digits[9]) == (rest if rest < 2 else 11 - rest)


# ------------------------------------------------------------------ reference
@dataclass
class Course:
    code: str
    posts: frozenset[str] | None  # None: all posts
    valid_months: int | None
    hours: float | None
    due_days: int

    def required_of(self, post: str) -> bool:
        return self.posts is None or post in self.posts


@dataclass
class Target:
    province: str | None
    on: date
    value: float


def reference_rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


class Reference:
    """Provinces, counties, courses, targets; the last two from the folder if it has them."""

    def __init__(self, folder: Path):
        self.provinces = {row["iso_3166_2"]: row for row in reference_rows(REFERENCE / "provinces.csv")}
        self.province_names: dict[str, str] = {}
        for iso, row in self.provinces.items():
            self.province_names[fold(iso)] = iso
            self.province_names[fold(row["sci_code"])] = iso
        for row in reference_rows(REFERENCE / "province_aliases.csv"):
            self.province_names[fold(row["alias"])] = row["iso_3166_2"]
        self.counties = reference_rows(REFERENCE / "counties.csv")
        self.county_names: dict[tuple[str, str], str] = {}
        # The last name read wins: those of 1395 come last.
        for row in reference_rows(REFERENCE / "counties_since.csv"):
            for name in (row["name"], row["name_en"], row["sci_code"], *row["aliases"].split(";")):
                self.county_names[row["province"], fold(name).replace(" ", "")] = row["parent_code"]
        for row in reference_rows(REFERENCE / "counties_1404.csv"):
            self.county_names[row["province"], fold(row["name"]).replace(" ", "")] = row["code_1395"]
        for row in reference_rows(REFERENCE / "county_aliases.csv"):
            self.county_names[row["province"], fold(row["alias"]).replace(" ", "")] = row["code"]
        for row in self.counties:
            for column in ("sci_code", "county_fa", "county_en", "county_en_osm", "name_in_1402_list"):
                if row[column]:
                    self.county_names[row["province_iso"], fold(row[column]).replace(" ", "")] = row["sci_code"]
        # What each official day is, by province ("" for the nation); those of the folder win.
        self.official_days: dict[tuple[str, date], str] = {}
        for path in (REFERENCE / "calendar.csv", self._own_or_ours(folder, "calendar.csv")):
            for row in reference_rows(path):
                place = self.province_names[fold(row["province"])] if row["province"].strip() else ""
                self.official_days[place, read_day(row["date"])] = row["kind"]
        self.courses = {}
        for row in reference_rows(self._own_or_ours(folder, "courses.csv")):
            posts = row["posts"].strip()
            course = Course(
                code=row["course_code"].strip(),
                posts=None if posts == "*" else frozenset(map(fold, posts.split("|"))),
                valid_months=int(row["valid_months"]) if row["valid_months"].strip() else None,
                hours=float(row["hours"]) if row["hours"].strip() else None,
                due_days=int(row["due_days"]) if row["due_days"].strip() else 0,
            )
            self.courses[fold(course.code)] = course
        # Residents of a province by date: {province: {day: count}}.
        self.population: dict[str, dict[date, int]] = {}
        for row in reference_rows(self._own_or_ours(folder, "population.csv")):
            province = self.province_names[fold(row["province"])]
            self.population.setdefault(province, {})[read_day(row["date"])] = int(row["residents"])
        self.targets = [
            Target(
                self.province_names[fold(row["province"])] if row["province"].strip() else None,
                read_day(row["date"]),
                float(row["value"]),
            )
            for row in reference_rows(self._own_or_ours(folder, "targets.csv"))
            if row["metric"] == "active_assistants"
        ]

    @staticmethod
    def _own_or_ours(folder: Path, name: str) -> Path:
        return folder / name if (folder / name).exists() else REFERENCE / name

    def is_working_day(self, day: date, province: str) -> bool:
        kind = self.official_days.get((province, day)) or self.official_days.get(("", day))
        return kind == "workday" if kind else day.weekday() != 4  # Friday

    def area_km2(self, province: str) -> float:
        return float(self.provinces[province]["area_km2"])


# ------------------------------------------------------------------ files become records
@dataclass
class Record:
    """One record of a file: its place and its cells; a cell is text, or a day of a spreadsheet."""

    file: str
    line: int
    cells: dict[str, Any]
    broken: tuple[str, str] | None = None  # column and reason of a record that is no row
    spoilt: list[str] = field(default_factory=list)  # columns of bytes that are no text
    warned: list[tuple[str, str]] = field(default_factory=list)
    typed: dict[str, Any] = field(default_factory=dict)
    faults: list[tuple[str, str]] = field(default_factory=list)  # (column, reason)

    def fault(self, column: str, reason: str) -> None:
        self.faults.append((column, reason))


def cell_text(value: Any) -> Any:
    """A typed cell of XLSX or Parquet as text, except days, whose time is dropped."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value == int(value):
        return str(int(value))
    return str(value)


def header_names(table: str) -> dict[str, str]:
    names = {}
    for column, (_, _, persian) in COLUMNS[table].items():
        for name in (column, *persian):
            names[fold(name)] = column
    return names


def known_headers(table: str, cells: list[Any]) -> int:
    names = header_names(table)
    return sum(fold(str(cell)) in names for cell in cells if cell is not None)


def holds_required(table: str, cells: list[Any]) -> bool:
    names = header_names(table)
    columns = {names.get(fold(str(cell))) for cell in cells if cell is not None}
    return all(column in columns for column, (_, need, _) in COLUMNS[table].items() if need)


def decode(table: str, raw: bytes) -> str:
    """The text in the encoding whose headers match the contract. If English headers match in both UTF-8 and
    Windows-1256, it is UTF-8 unless most of the lines that differ say otherwise."""
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return raw.decode("utf-16", errors="replace")
    if b"\0" in raw[:200]:
        return raw.decode("utf-16-be" if raw[0] == 0 else "utf-16-le", errors="replace")
    lines = raw.split(b"\n")
    headers = {}
    for encoding in ("utf-8-sig", "cp1256"):
        head = lines[0].decode(encoding, errors="replace").strip("\r")
        headers[encoding] = max(known_headers(table, head.split(mark)) for mark in ",;\t|")
    telling = [line for line in lines if not line.isascii()]
    good = sum(is_utf8(line) for line in telling)
    if headers["cp1256"] > headers["utf-8-sig"]:
        return raw.decode("cp1256")
    if headers["cp1256"] == headers["utf-8-sig"] and len(telling) - good > good:
        return raw.decode("cp1256")
    return raw.decode("utf-8-sig", errors="replace")


def is_utf8(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def delimited_records(table: str, path: Path) -> list[Record]:
    text = decode(table, path.read_bytes())
    head = text.split("\n", 1)[0].strip("\r")
    mark = max(",;\t|", key=lambda mark: known_headers(table, next(csv.reader([head], delimiter=mark))))
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=mark)
    header = next(lines)
    names = header_names(table)
    columns = [names.get(fold(cell)) for cell in header]
    records = []
    before = lines.line_num
    for cells in lines:
        line, before = before + 1, lines.line_num
        if all(not cell.strip() for cell in cells) or cells == header or is_sum(table, columns, cells):
            continue
        record = Record(path.name, line, {})
        if len(cells) != len(header):
            record.broken = ("", "ragged_row")
        else:
            record.spoilt = [
                column or "" for column, cell in zip(columns, cells, strict=True) if "\ufffd" in cell or "\0" in cell
            ]
            record.cells = {column: cell for column, cell in zip(columns, cells, strict=True) if column}
        records.append(record)
    return records


def sheet_records(table: str, path: Path) -> list[Record]:
    book = openpyxl.load_workbook(path, data_only=True)
    for sheet in book.worksheets:
        rows = [list(row) for row in sheet.iter_rows(values_only=True)]
        for at, row in enumerate(rows[:30]):
            if holds_required(table, row):
                below = [(line, row) for line, row in enumerate(rows, 1) if line > at + 1]
                full = [
                    (line, row)
                    for line, row in below
                    if any(c is not None and str(c).strip() for c in row)
                    and row != rows[at]
                    and not is_sum(table, [header_names(table).get(fold(str(cell))) for cell in rows[at]], row)
                ]
                return typed_records(table, path, list(rows[at]), full)
    raise ValueError(f"{path.name}: no sheet holds the headers")


def parquet_records(table: str, path: Path) -> list[Record]:
    content = pyarrow.parquet.read_table(path)
    rows = [list(row.values()) for row in content.to_pylist()]
    names = header_names(table)
    ours = [at for at, name in enumerate(content.column_names) if fold(name) in names]
    full = [(line, row) for line, row in enumerate(rows, 1) if any(str(cell_text(row[at])).strip() for at in ours)]
    return typed_records(table, path, list(content.column_names), full)


def is_sum(table: str, columns: list[str | None], cells: list[Any]) -> bool:
    """A row of totals has no key: one of its cells says that it is one."""
    said = {"", "جمع", "جمع کل", "جمع كل", "مجموع", "مجموع کل", "total", "Total"}
    written = [str(cell or "").rstrip(" :") for cell in cells]
    keys = {cell for column, cell in zip(columns, written, strict=False) if column in KEYS[table]}
    return keys <= said and bool((said - {""}) & {*written})


def typed_records(table: str, path: Path, header: list[Any], rows: list[tuple[int, list[Any]]]) -> list[Record]:
    names = header_names(table)
    columns = [names.get(fold(str(cell))) if cell is not None else None for cell in header]
    records = []
    for line, row in rows:
        cells = {column: cell_text(cell) for column, cell in zip(columns, row, strict=False) if column}
        records.append(Record(path.name, line, cells))
    return records


READERS = {
    ".csv": delimited_records,
    ".tsv": delimited_records,
    ".xlsx": sheet_records,
    ".parquet": parquet_records,
}


# ------------------------------------------------------------------ cells become values
def typed_value(kind: str, value: Any, row: dict[str, Any], reference: Reference, today: date) -> Any:
    """A cell's value; None if empty. Raises Fault with the reason."""
    if isinstance(value, date):
        day = value if kind in ("date", "any_date") else None
        if day is None:
            value = str(value)
        elif kind == "date" and day > today:
            raise Fault("future_date")
        else:
            return day
    text = str(value).strip()
    if fold(text) in ("", "-", "–", "."):
        return None
    folded = fold(text)
    if kind in ("code", "course", "national_id") and re.fullmatch(r"[+-]?\d+([.,]\d+)?e[+-]?\d+", folded):
        raise Fault("spoilt_number")
    if kind == "national_id":
        if re.fullmatch(r"\d{8,9}", folded):
            folded = folded.zfill(10)
        good = re.fullmatch(r"\d{10}", folded) and len(set(folded)) > 1 and check_digit_ok(folded)
        if not good:
            raise Fault("bad_national_id")
        return folded
    if kind in ("date", "any_date"):
        day = read_day(folded)
        if kind == "date" and day > today:
            raise Fault("future_date")
        return day
    if kind in ("hours", "score"):
        try:
            number = float(folded)
        except ValueError:
            raise Fault("bad_number") from None
        least, most = (1, 500) if kind == "hours" else (0, 100)
        if not least <= number <= most:
            raise Fault("bad_number")
        return number
    if kind == "province":
        if folded not in reference.province_names:
            raise Fault("unknown_province")
        return reference.province_names[folded]
    if kind == "county":
        county = reference.county_names.get((row.get("province") or "", folded.replace(" ", "")))
        if county is None:
            is_elsewhere = row.get("province") and any(
                name == folded.replace(" ", "") for _, name in reference.county_names
            )
            raise Fault("county_elsewhere" if is_elsewhere else "unknown_value")
        return county
    if kind == "course":
        if folded not in reference.courses:
            raise Fault("unknown_course")
        return folded
    if kind == "yesno":
        if folded in map(fold, YES):
            return True
        if folded in map(fold, NO):
            return False
        raise Fault("unknown_value")
    if kind in LISTS:
        for english, persian in LISTS[kind].items():
            if folded in map(fold, (english, persian, *ALSO.get(english, ()))):
                return english
        raise Fault("unknown_value")
    return folded


def type_record(table: str, record: Record, reference: Reference, today: date) -> None:
    """The faults of a row that need no other row."""
    if record.broken:
        record.fault(*record.broken)
        return
    row = record.typed
    for column in record.spoilt:
        record.fault(column, "bad_encoding")
    for column, (kind, required, _) in COLUMNS[table].items():
        if kind == "ignored":
            continue
        if column in record.spoilt:
            row[column] = None
            continue
        raw = record.cells.get(column, "")
        if is_word_for_nothing(column, kind, raw):
            raw = ""
        try:
            row[column] = within_years(column, typed_value(kind, raw, row, reference, today), today)
        except Fault as fault:
            row[column] = None
            if column in UNKNOWN:
                record.warned.append((column, str(fault)))
            else:
                record.fault(column, str(fault))
        else:
            if required and row[column] is None:
                record.fault(column, "missing_value")
    rules[table](record, row)


def is_word_for_nothing(column: str, kind: str, raw: Any) -> bool:
    """Whether a cell says in words that it is empty; «ندارد» answers a question with no, and a name may be any."""
    word = fold(str(raw))
    is_answer = kind == "yesno" and word in NO
    return (word in NOTHING and column != "name" and not is_answer) or word in NOT_YET.get(column, ())


def within_years(column: str, value: Any, today: date) -> Any:
    """A day that the register can hold, and any other value. Raises Fault with the reason."""
    if isinstance(value, date):
        first = JalaliDate({"founded_on": 1300, "birth_date": 1281}.get(column, 1357), 1, 1).to_gregorian()
        twenty_years_on = (today.year + 20, today.month, today.day)
        if value < first or (value.year, value.month, value.day) > twenty_years_on:
            raise Fault("bad_date")
    return value


def is_empty(record: Record, column: str) -> bool:
    return record.typed[column] is None and column not in dict(record.faults)


def ends_before(record: Record, start: str, end: str, reason: str) -> None:
    first, last = record.typed[start], record.typed[end]
    if first is not None and last is not None and last < first:
        record.fault(end, reason)


def institute_rules(record: Record, row: dict[str, Any]) -> None:
    if row["status"] in ("suspended", "revoked", "closed") and is_empty(record, "status_since"):
        record.fault("status_since", "missing_status_since")


def licence_rules(record: Record, row: dict[str, Any]) -> None:
    ends_before(record, "applied_on", "file_complete_on", "ends_before_starts")
    start = "applied_on" if row["file_complete_on"] is None else "file_complete_on"
    ends_before(record, start, "decided_on", "decided_before_complete")
    if row["outcome"] is not None and is_empty(record, "decided_on"):
        record.fault("decided_on", "missing_value")
    if row["outcome"] == "granted":
        for column in ("valid_from", "valid_until"):
            if is_empty(record, column):
                record.fault(column, "missing_value")
    ends_before(record, "valid_from", "valid_until", "ends_before_starts")


def personnel_rules(record: Record, row: dict[str, Any]) -> None:
    birth, hired = row["birth_date"], row["hired_on"]
    if birth is not None and hired is not None:
        old_enough = add_months(birth, 18 * 12) <= hired
        young_enough = hired < add_months(birth, 76 * 12)
        if not (old_enough and young_enough):
            record.fault("birth_date", "age_out_of_range")
    ends_before(record, "hired_on", "left_on", "left_before_hired")
    ends_before(record, "judicial_officer_from", "judicial_officer_until", "ends_before_starts")


def training_rules(record: Record, row: dict[str, Any]) -> None:
    """No faults beyond those of the columns."""


rules = {
    "institutes": institute_rules,
    "licences": licence_rules,
    "personnel": personnel_rules,
    "training": training_rules,
}


# ------------------------------------------------------------------ the load
@dataclass
class FileCount:
    """Rows read = loaded + quarantined + duplicates."""

    table: str
    read: int = 0
    loaded: int = 0
    quarantined: int = 0
    duplicates: int = 0
    warned: int = 0


@dataclass
class Load:
    """The content of a folder: loaded rows by table, counts by file, faults."""

    reference: Reference
    rows: dict[str, list[dict[str, Any]]]
    files: dict[str, FileCount]
    faults: list[tuple[str, int, str, str]]  # file, line, column, reason
    as_of: date
    warned: list[tuple[str, int, str, str]]  # the same of what loads as unknown, of loaded rows

    @property
    def reasons(self) -> Counter[str]:
        return Counter(reason for _, _, _, reason in self.faults)


def read_folder(folder: Path, today: date) -> Load:
    """Read, type and validate every row of a folder on the day `today`."""
    reference = Reference(folder)
    files: dict[str, FileCount] = {}
    records: dict[str, list[Record]] = {}
    for table in COLUMNS:
        records[table] = []
        for path in sorted(folder.iterdir(), key=lambda path: path.name):
            if path.name.startswith(table) and path.suffix in ENDINGS:
                of_file = READERS[path.suffix](table, path)
                files[path.name] = FileCount(table, read=len(of_file))
                records[table] += of_file
        for record in records[table]:
            type_record(table, record, reference, today)

    dropped: set[int] = set()

    def loaded(table: str) -> list[Record]:
        return [r for r in records[table] if not r.faults and id(r) not in dropped]

    # A table is judged after those that its rows refer to, and keys are compared among rows without a fault.
    for table in COLUMNS:
        if table in PARENTS:
            column, parent, reason = PARENTS[table]
            known = {record.typed[column] for record in loaded(parent)}
            for record in records[table]:
                value = record.typed.get(column)
                if value is not None and value not in known:
                    record.fault(column, reason)
        dropped |= {id(record) for record in judge_keys(table, records[table])}

    faults = []
    warned = []
    rows = {}
    for table in COLUMNS:
        rows[table] = [record.typed for record in loaded(table)]
        for record in records[table]:
            count = files[record.file]
            if id(record) in dropped:
                count.duplicates += 1
            elif record.faults:
                count.quarantined += 1
            else:
                count.loaded += 1
                count.warned += bool(record.warned)
                warned += [(record.file, record.line, *fault) for fault in record.warned]
            faults += [(record.file, record.line, *fault) for fault in record.faults]
    return Load(reference, rows, files, faults, latest_day(rows, today), warned)


def judge_keys(table: str, records: list[Record]) -> list[Record]:
    """Same key and same content: one row; the later ones are returned as duplicates. With any difference every row
    of that key is quarantined. Rows that already have a fault are left out."""
    by_key = defaultdict(list)
    for record in records:
        if not record.faults:
            by_key[tuple(record.typed[column] for column in KEYS[table])].append(record)
    duplicates = []
    for same_key in by_key.values():
        first = same_key[0]
        if all(record.typed == first.typed for record in same_key):
            duplicates += same_key[1:]
        else:
            for record in same_key:
                record.fault(KEYS[table][0], "conflicting_key")
    return duplicates


def latest_day(rows: dict[str, list[dict[str, Any]]], today: date) -> date:
    columns = {
        "licences": ("applied_on", "file_complete_on", "decided_on"),
        "institutes": ("status_since",),
        "personnel": ("hired_on", "left_on"),
        "training": ("completed_on",),
    }
    days = [
        row[column]
        for table, names in columns.items()
        for row in rows[table]
        for column in names
        if row[column] is not None and row[column] <= today
    ]
    return max(days, default=today)
