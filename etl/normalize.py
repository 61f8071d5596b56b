"""How text is made comparable, and what is taken out of text that is shown: every choice once, with its reason.

- NFC comes first: it joins Arabic ye with a hamza into one letter; once ye is folded to its Persian form NFC cannot.
  NFKC is not used: it turns full-width ＝ into =, and a name into a formula.
- Arabic ye and kaf, and the alef maksura that keyboards put for ye, become Persian ye and kaf: the same word to every reader.
- ZWNJ is a space to the eye and is typed or not by habit; runs of spaces are one.
- Tatweel and diacritics carry no meaning in a name; letter case carries none in a code.
- Invisible characters (bidi controls, zero widths, BOM) can make one text look like another; they are cut from what is
  compared and from what is shown, and counted.
"""

import re
import unicodedata

_DIGITS = {ord(digit): str(value) for digits in ("۰۱۲۳۴۵۶۷۸۹", "٠١٢٣٤٥٦٧٨٩") for value, digit in enumerate(digits)}
_LETTERS = {ord("ي"): "ی", ord("ى"): "ی", ord("ك"): "ک", ord("ـ"): None, ord("\u200c"): " "}
_MARKS = dict.fromkeys((*range(1611, 1632), 1648, *range(1750, 1757)))
_INVISIBLE = "\u200b\u200d\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff\u00ad\u061c"
_INVISIBLE_RUN = re.compile(f"[{_INVISIBLE}]")
_CONTROL_RUN = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f]")
_SPACES = re.compile(r"\s+")
_FOLD = _DIGITS | _LETTERS | _MARKS


def latin_digits(text: str) -> str:
    """`text` with Persian and Arabic digits written as 0-9."""
    return text if text.isascii() else text.translate(_DIGITS)


def count_invisible(text: str) -> int:
    """How many characters of `text` are not shown: bidi controls, zero widths, control codes."""
    if text.isascii() and text.isprintable():
        return 0
    return len(_INVISIBLE_RUN.findall(text)) + len(_CONTROL_RUN.findall(text))


def shown(text: str) -> str:
    """`text` as it may be shown: what was written, without characters that cannot be seen; spaces trimmed."""
    if text.isascii() and text.isprintable():
        return text.strip()
    text = _CONTROL_RUN.sub("", _INVISIBLE_RUN.sub("", unicodedata.normalize("NFC", text)))
    return _SPACES.sub(" ", text).strip()


def fold(text: str) -> str:
    """`text` as it is compared: headers, keys, values of fixed lists, names of places."""
    if text.isascii() and text.isprintable():
        return _SPACES.sub(" ", text).strip().casefold()
    return _SPACES.sub(" ", shown(text).translate(_FOLD)).strip().casefold()
