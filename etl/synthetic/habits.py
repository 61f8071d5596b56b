"""How 31 offices keep their files: formats, scripts, calendars, words.

The contract's columns, headers and words are repeated here on purpose: read from the contract, a
mistake in it would be on both sides and never be noticed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pyarrow as pa

TABLES = ("institutes", "licences", "personnel", "training")

# Columns of each table in the order of the contract: name -> (kind, Persian headers in use).
# Kinds: code, text, province, county, date, number, id, yes (yes/no), or the name in WORDS.
COLUMNS: dict[str, dict[str, tuple[str, tuple[str, ...]]]] = {
    "institutes": {
        "institute_code": ("code", ("کد موسسه", "شناسه موسسه")),
        "name": ("text", ("نام موسسه",)),
        "province": ("province", ("استان",)),
        "county": ("county", ("شهرستان",)),
        "activity": ("activity", ("نوع فعالیت", "زمینه فعالیت")),
        "founded_on": ("date", ("تاریخ تاسیس",)),
        "status": ("status", ("وضعیت",)),
        "status_since": ("date", ("تاریخ وضعیت",)),
        "smart_services": ("yes", ("خدمات هوشمند",)),
        "veteran_led": ("yes", ("مدیریت پیشکسوت",)),
    },
    "licences": {
        "application_no": ("application", ("شماره درخواست",)),
        "institute_code": ("code", ("کد موسسه",)),
        "kind": ("kind", ("نوع درخواست",)),
        "applied_on": ("date", ("تاریخ درخواست",)),
        "file_complete_on": ("date", ("تاریخ تکمیل پرونده",)),
        "decided_on": ("date", ("تاریخ تصمیم",)),
        "outcome": ("outcome", ("نتیجه",)),
        "licence_no": ("licence", ("شماره مجوز",)),
        "valid_from": ("date", ("شروع اعتبار",)),
        "valid_until": ("date", ("پایان اعتبار",)),
    },
    "personnel": {
        "national_id": ("id", ("کد ملی", "کدملی")),
        "first_name": ("first", ("نام",)),
        "last_name": ("last", ("نام خانوادگی",)),
        "institute_code": ("code", ("کد موسسه",)),
        "province": ("province", ("استان", "استان محل خدمت")),
        "county": ("county", ("شهرستان", "شهرستان محل خدمت")),
        "gender": ("gender", ("جنسیت",)),
        "birth_date": ("date", ("تاریخ تولد",)),
        "education": ("education", ("تحصیلات", "مدرک تحصیلی")),
        "post": ("post", ("سمت", "پست")),
        "hired_on": ("date", ("تاریخ شروع", "تاریخ استخدام")),
        "left_on": ("date", ("تاریخ پایان",)),
        "leave_reason": ("leave_reason", ("علت پایان",)),
        "judicial_officer_from": ("date", ("شروع ضابط قضایی",)),
        "judicial_officer_until": ("date", ("پایان ضابط قضایی",)),
        "veteran": ("yes", ("پیشکسوت",)),
    },
    "training": {
        "national_id": ("id", ("کد ملی", "کدملی")),
        "course_code": ("course", ("کد دوره",)),
        "completed_on": ("date", ("تاریخ دوره", "تاریخ گذراندن")),
        "hours": ("hours", ("ساعت", "مدت")),
        "score": ("score", ("نمره",)),
        "result": ("result", ("نتیجه",)),
    },
}
# the fixed lists of the contract: index -> English word and a Persian one
WORDS: dict[str, tuple[tuple[str, str], ...]] = {
    "activity": (("guarding", "حفاظت فیزیکی"), ("patrol", "گشت"), ("events", "مراسم"),
                 ("cash_transit", "حمل پول"), ("monitoring", "پایش تصویری"), ("escort", "همراه")),
    "status": (("applicant", "متقاضی"), ("active", "فعال"), ("suspended", "تعلیق"),
               ("revoked", "لغو"), ("closed", "منحل")),
    "kind": (("new", "جدید"), ("renewal", "تمدید")),
    "outcome": (("granted", "صادر"), ("refused", "رد"), ("withdrawn", "انصراف")),
    "gender": (("male", "مرد"), ("female", "زن")),
    "education": (("below_diploma", "زیر دیپلم"), ("diploma", "دیپلم"), ("associate", "کاردانی"),
                  ("bachelor", "کارشناسی"), ("master", "کارشناسی ارشد"), ("doctorate", "دکتری")),
    "post": (("guard", "نگهبان"), ("team_leader", "سرتیم"), ("operator", "اپراتور"),
             ("manager", "مدیر")),
    "leave_reason": (("resigned", "استعفا"), ("contract_end", "پایان قرارداد"),
                     ("transferred", "انتقال"), ("dismissed", "اخراج"), ("retired", "بازنشستگی"),
                     ("died", "فوت")),
    "result": (("passed", "قبول"), ("failed", "مردود")),
}  # fmt: skip
YES = (("yes", "no"), ("بلی", "خیر"), ("دارد", "ندارد"), ("1", "0"), ("true", "false"))
DIGITS = {"latin": "0123456789", "fa": "۰۱۲۳۴۵۶۷۸۹", "ar": "٠١٢٣٤٥٦٧٨٩"}
FIRST_MEN = ["آرمان", "بهروز", "پیمان", "جواد", "حسام", "خسرو", "داریوش", "رامین", "سهراب", "شاهین", "صادق",
    "فرهاد", "کامران", "کیوان", "مازیار", "مهران", "نادر", "نیما", "هومن", "یاسر"]  # fmt: skip
FIRST_WOMEN = ["آزاده", "بنفشه", "پریسا", "ترانه", "رویا", "ژاله", "سارا", "شیرین", "فرشته", "کتایون",
    "گلناز", "لاله", "مریم", "نرگس", "نگار", "یلدا"]  # fmt: skip
LAST = ["آبان‌پور", "البرزی", "باران‌دوست", "بهارنژاد", "پاییزان", "تابان‌فر", "جویباری", "چمن‌آرا",
    "خورشیدی", "دریاگرد", "رودکنار", "زمستان‌پور", "ساحل‌نشین", "سپیده‌دم", "شب‌تاب", "صخره‌نورد",
    "کوه‌پیما", "کویرزاد", "گلستانه", "لاله‌گون", "مهتابی", "نسیم‌پور", "نیلوفری", "هامون‌زاد", "یاسمنی"]  # fmt: skip


@dataclass(frozen=True)
class Habit:
    """One office's way of keeping a file."""

    kind: str  # csv, tsv, xlsx, parquet
    encoding: str = "utf-8"
    separator: str = ","
    headers: str = "fa"  # fa, en
    words: str = "fa"  # fa, en
    arabic: bool = False  # Arabic ye and kaf
    digits: str = "latin"
    dates: str = "j/"
    province: str = "name"  # name, english, iso, sci, mixed (as clerks type it)
    county: str = "name"  # name, code
    yes: int = 1
    numbers: bool = False  # ids stored as numbers, without their leading zeros
    quoted: bool = False
    crlf: bool = False
    extra: bool = False  # a column that the contract lacks
    cover: bool = False  # XLSX: a cover sheet before the rows
    typed: bool = False  # Parquet: days as dates, hours and score as numbers
    synonym: int = 0  # which of the Persian headers

    @property
    def line_encoding(self) -> str:
        """The encoding of a line, without a byte order mark."""
        return {"utf-8-sig": "utf-8", "utf-16": "utf-16-le"}.get(self.encoding, self.encoding)

    def texty(self) -> "Habit":
        """The same office with more rows than fit a spreadsheet."""
        return replace(self, kind="csv", encoding="utf-8-sig", cover=False, numbers=False,
                       dates="j/" if self.dates == "cell" else self.dates)  # fmt: skip


HABITS = {
    "A": Habit("xlsx", dates="cell", numbers=True, yes=2, extra=True),
    "B": Habit("xlsx", headers="en", words="en", province="iso", yes=0, cover=True, county="code"),
    "C": Habit("csv", "cp1256", ";", arabic=True, dates="j1", province="mixed", crlf=True),
    "D": Habit("csv", "utf-8-sig", ",", digits="fa", province="mixed", yes=2, synonym=1),
    "E": Habit("csv", "utf-16", "\t", arabic=True, digits="ar", dates="j-", yes=3),
    "F": Habit("tsv", "utf-8", "\t", "en", "en", dates="g-", province="sci", yes=4, county="code"),
    "G": Habit("parquet", headers="en", words="en", dates="g-", province="iso", yes=4, typed=True),
    "H": Habit("parquet", dates="j8", digits="fa", province="name", synonym=1),
    "I": Habit("csv", "utf-8", "|", "en", "en", dates="g8", province="english", yes=0),
    "J": Habit("csv", "utf-8", ",", "en", "en", dates="g/", province="iso", yes=3, quoted=True,
               crlf=True, extra=True),
    "K": Habit("xlsx", arabic=True, digits="fa", dates="j1", province="mixed", synonym=1),
    "L": Habit("csv", "utf-8", ";", digits="fa", dates="j1", county="code", yes=1, extra=True),
    "M": Habit("csv", "utf-8-sig", ",", "fa", "en", dates="g1", province="sci", numbers=True),
}  # fmt: skip
# province by SCI code -> habits of its institutes, licences, personnel and training files
OFFICES = (
    "AAAA", "CCCC", "DDDD", "LLLL", "JJFF", "KKKM", "BBLD", "DDHH", "CCCC", "FFFF", "MMDG",
    "KKKK", "EEEE", "AACC", "KKAA", "CCCC", "BBBB", "AAKK", "IIII", "EEEE", "BBBM", "HHHH",
    "JJJJ", "AADG", "LLLL", "IIBB", "MMMM", "DDCC", "AAAA", "EECA", "GGGG",
)  # fmt: skip


def habit_of(province: int, table: str) -> Habit:
    """The habit of a province's (0..30) file of a table."""
    return HABITS[OFFICES[province][TABLES.index(table)]]


@dataclass
class Sheet:
    """Rows as text, and lines that are no proper row of the table: (after row, bytes)."""

    rows: pa.Table
    lines: Sequence[tuple[int, bytes]] = ()
