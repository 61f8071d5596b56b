"""The faults of text.toml: a language, a page or a word that is missing, and a word that nothing uses.

The sources say which words are used: a name in quotes is that of a word, or its last part; the fields of a formatted name match
any text.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from etl.core import declarations
from etl.core.paths import ROOT
from etl.extract.contract import TABLES
from etl.semantic import catalog
from etl.warehouse.dimensions import BANDS, CHOICES, DIMENSIONS, FILTERS

_SHOWN = ("dashboard.py", "pages/*.py", "ui/**/*.py")
_COUNTED = ("etl/**/*.py", "etl/**/*.toml")
# A name in quotes or the parts of a formatted one, and what the briefing's writer asks for in its own section.
_QUOTED = re.compile(r"""["']([a-z_0-9][a-z_0-9.]*(?:\{[^{}]*\}[a-z_0-9.]*)*)["']""")
_OF_BRIEFING = re.compile(r"""write\.words?\(\s*["']([a-z_0-9]+)["']""")
_WORD = re.compile(r"([a-z_]+)\.([a-z_0-9]+)")
# The names of files look like words of the sections `book` and `views`.
_SUFFIXES = (".json", ".sqlite", ".typ")
# Sections whose keys are names of the code or the declarations of etl, and those whose keys are made from source files.
_OF_ETL = (
    "dimension",
    "group",
    "population",
    "reason",
    "revision",
    "rule",
    "source",
    "submission",
    "sufficiency",
    "arrival",
    "calc",
    "units",
)
_OF_DATA = ("calendar", "member", "note", "find_member")
# Units without a word: a number shows them by its form.
_WITHOUT_WORD = {"share", "ratio", "date"}
# Keys of an entry besides its languages and the words for a count of one.
_MORE_KEYS = {"menu": {"page", "group", "tabs", "question"}, "tab": {"question"}}


def check(path: Path, book: Mapping[str, Any]) -> None:
    """Raise Refused, with one line that names section and key, for the first fault of the words."""
    sections = ("menu", "menu_group", "tab", "dimension", "scope", "source", "rule", "group", "member", "units")
    declarations.check_keys(path, "", (), (), needed=[section for section in sections if section not in book])
    _check_languages(path, "", book)
    _check_menu(path, book)
    groups = {entry["group"] for entry in catalog.entries()["metric"].values() if "group" in entry}
    of_files = {"source": TABLES, "rule": _rules(), "group": sorted(groups)}
    for section, names in ({"dimension": DIMENSIONS, "scope": FILTERS} | of_files).items():
        declarations.check_keys(path, section, book[section], book[section], names)
    for dimension, codes in CHOICES.items():
        if dimension not in BANDS:
            members, known = book["member"].get(dimension, ()), sorted(set(codes.values()))
            declarations.check_keys(path, f"member.{dimension}", members, known, known)
    for dimension, members in book.get("find_member", {}).items():
        declarations.check_keys(path, f"find_member.{dimension}", members, sorted(set(CHOICES[dimension].values())))
    _check_units(path, book["units"])
    _check_use(path, book)


def _check_languages(path: Path, title: str, entry: Any) -> None:
    if isinstance(entry, list):
        for each in entry:
            _check_languages(path, f"{title}.{each.get('page', '')}", each)
    elif isinstance(entry, dict):
        if declarations.LANGUAGES & entry.keys():
            more = _MORE_KEYS.get(title.split(".", maxsplit=1)[0], set())
            known = {*declarations.LANGUAGES, "one"} | more
            declarations.check_keys(path, title, entry, known, declarations.LANGUAGES)
        else:
            for key, value in entry.items():
                _check_languages(path, f"{title}.{key}".lstrip("."), value)


def _check_menu(path: Path, book: Mapping[str, Any]) -> None:
    """A page has a file and a question, or tabs that have both."""
    menu, words = book["menu"], book["tab"]
    for entry in menu:
        page = f"menu.{entry.get('page', '')}"
        declarations.check_keys(path, page, entry, entry, ("page", "group"))
        if {"tabs", "question"} <= entry.keys():
            raise declarations.fault(path, f"[{page}] has `tabs`, and so no `question`: each [tab] has its own")
        groups = ["", *book["menu_group"]]
        declarations.check_names(path, page, "group", [entry["group"]], groups, "key of [menu_group]")
    tabs = [tab for entry in menu for tab in entry.get("tabs", ())]
    pages = {entry["page"]: entry for entry in menu if "tabs" not in entry}
    for kind, name in (*(("menu", page) for page in pages), *(("tab", tab) for tab in tabs)):
        if not path.with_name(f"{name}.py").is_file():
            raise declarations.fault(path, f"[{kind}.{name}] has no file {path.parent.name}/{name}.py")
    declarations.check_keys(path, "tab", tabs, words)
    for kind, by_name in (("menu", pages), ("tab", words)):
        for name, entry in by_name.items():
            declarations.check_keys(path, f"{kind}.{name}", entry, entry, ("question",))
    for tab in words.keys() - set(tabs):
        raise declarations.fault(path, f"[tab.{tab}] is among the `tabs` of no page")


def _check_units(path: Path, units: Mapping[str, Any]) -> None:
    known = {*units, *_WITHOUT_WORD}
    for by_name in (catalog.entries()[kind] for kind in ("metric", "derived", "reported")):
        for name, entry in by_name.items():
            if (unit := entry["unit"]) not in known:
                near = declarations.nearest(unit, known)
                raise declarations.fault(path, f"[units] has no word for `{unit}`, the unit of `{name}`{near}")


def _check_use(path: Path, book: Mapping[str, Any]) -> None:
    shown = _quoted(_SHOWN)
    for name, file in shown.items():
        section, _, key = name.partition(".")
        if _WORD.fullmatch(name) and section in book and key not in book[section] and not name.endswith(_SUFFIXES):
            raise declarations.fault(path, f"[{section}] lacks the key `{key}`, which {file} asks for")
    named = [*shown, *(entry["group"] for entry in book["menu"])]
    is_shown, is_of_etl = _asked(named), _asked([*named, *_quoted(_COUNTED), *_rules(), *TABLES])
    for name in _words(book):
        section, _, key = name.partition(".")
        is_asked = is_of_etl if section in _OF_ETL else is_shown
        # A filter is asked for by the name of its dimension.
        if section not in _OF_DATA and not (section == "scope" and key in FILTERS) and not is_asked(name):
            raise declarations.fault(path, f"[{section}] has the key `{key}`, which nothing asks for")


def _words(entry: Mapping[str, Any], title: str = "") -> Iterator[str]:
    """The names of all words, but of the menu."""
    for key, value in entry.items():
        name = f"{title}.{key}".lstrip(".")
        if isinstance(value, dict) and not declarations.LANGUAGES & value.keys():
            yield from _words(value, name)
        elif isinstance(value, dict) and not name.startswith("tab."):
            yield name


@cache
def _quoted(files: tuple[str, ...]) -> dict[str, str]:
    """Every name in quotes, whole or formatted, with the first file that has it."""
    found: dict[str, str] = {}
    for path in (path for among in files for path in sorted(ROOT.glob(among))):
        source = path.read_text(encoding="utf-8")
        names = [*_QUOTED.findall(source), *(f"briefing.{key}" for key in _OF_BRIEFING.findall(source))]
        file = str(path.relative_to(ROOT))
        for name in names:
            found.setdefault(name, file)
    return found


def _rules() -> list[str]:
    return sorted(rule.stem for rule in (ROOT / "etl" / "warehouse" / "checks").glob("*.sql"))


def _asked(names: Iterable[str]) -> Callable[[str], bool]:
    """Whether a word is named, whole or by its last part."""
    whole = set(names)
    # "section.{name}" and "p{number}" name no word by themselves.
    formatted = (name for name in whole if re.match(r"(?!\w+\.\{[^{}]*\}$)[\w.]+[_.]\{", name))
    pattern = re.compile("|".join(re.sub(r"\{[^{}]*\}", ".+", name.replace(".", r"\.")) for name in formatted))

    def is_asked(word: str) -> bool:
        return any(name in whole or pattern.fullmatch(name) for name in (word, word.rpartition(".")[2]))

    return is_asked
