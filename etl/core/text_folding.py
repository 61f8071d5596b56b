"""How text is made comparable, and what is taken out of text that is shown: every choice once, with its reason.

- NFC comes first: it joins Arabic ye with a hamza into one letter; once ye is folded to its Persian form NFC cannot.
  NFKC is not used: it turns full-width ＝ into =, and a name into a formula.
- Arabic ye and kaf, and the alef maksura that keyboards put for ye, become Persian ye and kaf: to a reader the same.
- ZWNJ is a space to the eye and is typed or not by habit; runs of spaces are one.
- Tatweel and diacritics carry no meaning in a name; letter case carries none in a code.
- A hamza on alef, waw, ye or he is written or not by habit (مؤسسه, موسسه), like the combining hamza that is a diacritic.
- Invisible characters (bidi controls, zero widths, BOM) can make one text look like another; they are cut from what is
  compared and from what is shown, and counted.
"""

import re
import unicodedata

import numpy as np

_DIGITS = {ord(digit): str(value) for digits in ("۰۱۲۳۴۵۶۷۸۹", "٠١٢٣٤٥٦٧٨٩") for value, digit in enumerate(digits)}
HAMZA = {ord("أ"): "ا", ord("إ"): "ا", ord("ؤ"): "و", ord("ئ"): "ی", ord("ۀ"): "ه"}
_LETTERS = {ord("ي"): "ی", ord("ى"): "ی", ord("ك"): "ک", ord("ـ"): None, ord("\u200c"): " "}
# Marks that stand on a letter, of all scripts that a Persian text can hold, and the selectors of a letter's form.
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


def latin_digit_signs(signs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The same of the bytes of texts in UTF-8, in which such a digit is two: one names the script, one the digit.

    The bytes with 0-9 in the place of the second, and which of them are left once the first are taken out.
    """
    signs = signs.copy()
    first, second = signs[:-1], signs[1:]
    is_persian = (first == 0xDB) & (second >= 0xB0) & (second <= 0xB9)
    is_arabic = (first == 0xD9) & (second >= 0xA0) & (second <= 0xA9)
    second[is_persian] -= 0xB0 - ord("0")
    second[is_arabic] -= 0xA0 - ord("0")
    is_kept = np.ones(len(signs), bool)
    is_kept[:-1] = ~(is_persian | is_arabic)
    return signs, is_kept


def count_invisible(text: str) -> int:
    """How many characters of `text` are not shown: bidi controls, zero widths, control codes."""
    if text.isprintable():
        return 0
    return len(_INVISIBLE_RUN.findall(text)) + len(_CONTROL_RUN.findall(text))


def shown(text: str) -> str:
    """`text` as it may be shown: what was written, without characters that cannot be seen; spaces trimmed."""
    if text.isascii() and text.isprintable():
        return text.strip()
    text = _CONTROL_RUN.sub("", _INVISIBLE_RUN.sub("", unicodedata.normalize("NFC", text)))
    return _SPACES.sub(" ", text).strip()


def shown_code(text: str) -> str:
    """A code as it may be shown: as written, in Latin digits, so that it can be typed and found again anywhere."""
    return latin_digits(shown(text))


def printable(text: str) -> str:
    """`text` for one line of a terminal or a log: what cannot be seen, or would move the line, becomes an escape."""
    return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def fold(text: str) -> str:
    """`text` as it is compared: headers, keys, values of fixed lists, names of places."""
    if text.isascii() and text.isprintable():
        return _SPACES.sub(" ", text).strip().casefold()
    return _SPACES.sub(" ", shown(text).translate(_FOLD)).strip().casefold()
