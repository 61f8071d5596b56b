"""How text is folded for comparison, and what is removed from text that is shown, with the reasons:

- NFC comes first: it joins Arabic ye with a hamza into one letter; once ye is folded to its Persian form NFC cannot.
  NFKC is not used: it turns full-width ＝ into =, and a name into a formula.
- Arabic ye and kaf, and the alef maksura that keyboards put for ye, become Persian ye and kaf: to a reader the same. Names
  are shown so too.
- ZWNJ looks like a space and is typed or not by habit; runs of spaces become one.
- Tatweel and diacritics carry no meaning in a name; letter case carries none in a code.
- A hamza on alef, waw, ye or he is written or not by habit (مؤسسه, موسسه), like the combining hamza that is a diacritic.
- Invisible characters (bidi controls, zero widths, BOM) can make one text look like another; they are removed from what
  is compared and from what is shown, and counted.
"""

import re
import unicodedata

_DIGITS = {ord(digit): str(value) for digits in ("۰۱۲۳۴۵۶۷۸۹", "٠١٢٣٤٥٦٧٨٩") for value, digit in enumerate(digits)}
HAMZA = {ord("أ"): "ا", ord("إ"): "ا", ord("ؤ"): "و", ord("ئ"): "ی", ord("ۀ"): "ه"}
_PERSIAN_LETTERS = {ord("ي"): "ی", ord("ى"): "ی", ord("ك"): "ک"}
_LETTERS = _PERSIAN_LETTERS | {ord("ـ"): None, ord("\u200c"): " "}
# Combining marks of all scripts that a Persian text can contain, and variation selectors.
_MARKS = dict.fromkeys(
    mark for mark in (*range(0x300, 0x1000), *range(0xFE00, 0xFE30)) if unicodedata.category(chr(mark)) == "Mn"
)
_INVISIBLE = "\u200b\u200d\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff\u00ad\u061c"
_INVISIBLE_RUN = re.compile(f"[{_INVISIBLE}]")
_CONTROL_RUN = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f]")
_UNPRINTABLE = re.compile(f"[{_INVISIBLE}\x00-\x1f\x7f-\x9f\u2028\u2029]")
_SPACES = re.compile(r"\s+")
_FOLD = _DIGITS | _LETTERS | _MARKS | HAMZA


def latin_digits(text: str) -> str:
    """`text` with Persian and Arabic digits written as 0-9."""
    return text if text.isascii() else text.translate(_DIGITS)


def count_invisible(text: str) -> int:
    """How many characters of `text` are not shown: bidi controls, zero widths, control codes."""
    return len(_INVISIBLE_RUN.findall(text)) + len(_CONTROL_RUN.findall(text))


def display_text(text: str) -> str:
    """`text` for display: as written, without invisible characters, spaces trimmed."""
    if text.isascii() and text.isprintable():
        return text.strip()
    text = _CONTROL_RUN.sub("", _INVISIBLE_RUN.sub("", unicodedata.normalize("NFC", text)))
    return _SPACES.sub(" ", text).strip()


def display_name(text: str) -> str:
    """A stored name for readers: with Persian ye and kaf, which are also what is searched for."""
    return text.translate(_PERSIAN_LETTERS)


def display_code(text: str) -> str:
    """A code for display: as written, with Latin digits, so that it can be typed and found anywhere."""
    return latin_digits(display_text(text))


def printable(text: str) -> str:
    """`text` for one line of a terminal or a log: characters that are invisible or move the cursor are escaped."""
    return _UNPRINTABLE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def fold(text: str) -> str:
    """`text` for comparison: headers, keys, values of fixed lists, names of places."""
    if text.isascii() and text.isprintable():
        return _SPACES.sub(" ", text).strip().casefold()
    return _SPACES.sub(" ", display_text(text).translate(_FOLD)).strip().casefold()
