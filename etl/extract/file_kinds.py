"""The kind of a file by its first bytes, and the errors for files whose extension does not match it."""

import mmap
import zipfile
from pathlib import Path

from etl.extract.causes import because
from etl.extract.source_folder import ENDINGS, PERSIAN_NAMES, WORKBOOKS, ending_of

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_PACKED = {
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ\x00": "xz",
    b"7z\xbc\xaf\x27\x1c": "7z",
    b"Rar!": "RAR",
    b"\x28\xb5\x2f\xfd": "zstd",
}
_PACKED_ENDINGS = (".zip", ".rar", ".7z", ".gz", ".bz2", ".xz", ".tar", ".tgz", ".zst")
_DOCUMENTS = {b"%pdf": "PDF", b"{\\rtf": "RTF", b"<!doctype html": "HTML", b"<html": "HTML", b"<table": "HTML"}
_PARTS = {"xl/workbook.bin": "xlsb", "xl/workbook.xml": "xlsx", "content.xml": "ods", "word/document.xml": "Word"}
_BYTE_ORDER_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe\x00\x00", b"\x00\x00\xfe\xff", b"\xff\xfe", b"\xfe\xff")
_HEAD_BYTES = 256


def refuse_other_kinds(path: Path, table: str) -> None:
    """Raises Refused for a file whose content does not match its extension; the error names its kind and the remedy."""
    ending = ending_of(path.name)
    if ending in _PACKED_ENDINGS:
        raise because("packed", kind=ending)
    if ending not in ENDINGS:
        raise because("ending", table=table, table_fa=PERSIAN_NAMES[table], ending=ending or "–")
    size = path.stat().st_size
    if not size:
        raise because("empty")
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    for signature, kind in _PACKED.items():
        if head.startswith(signature):
            raise because("packed", kind=kind)
    if head.startswith(_OLE):
        if _holds(path, "EncryptedPackage".encode("utf-16-le")):
            raise because("password")
        if ending != ".xls":
            raise because("old_workbook" if ending in WORKBOOKS else "workbook_as_text", ending=ending)
        return
    for signature, kind in _DOCUMENTS.items():
        if head.lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith(signature):
            raise because("web_page" if kind == "HTML" else "document", kind=kind, ending=ending)
    if ending in WORKBOOKS:
        return
    if head.startswith(b"PK\x03\x04"):
        inside = _kind_inside(path)
        if inside in ("xlsx", "xlsb", "ods"):
            raise because("workbook_as_text", ending=ending)
        if inside == "Word":
            raise because("document", kind=inside, ending=ending)
        raise because("packed", kind=inside or "ZIP")
    if ending == ".parquet":
        return
    if head.startswith(b"PAR1"):
        raise because("parquet_as_text", ending=ending)
    mark = next((mark for mark in _BYTE_ORDER_MARKS if head.startswith(mark)), b"")
    if size <= _HEAD_BYTES and not head.removeprefix(mark).strip(b"\x00\r\n\t "):
        raise because("empty")


def workbook_kind(path: Path) -> str:
    """xls, xlsx, xlsb or ods, by the content. Raises Refused if it is no workbook, damaged or under a password."""
    with path.open("rb") as file:
        head = file.read(len(_OLE))
    name = ending_of(path.name).lstrip(".").upper()
    if head == _OLE:
        return "xls"
    kind = _kind_inside(path) if head.startswith(b"PK") else "text"
    if not kind:
        raise because("broken_zip", kind=name)
    if kind not in ("xlsx", "xlsb", "ods"):
        raise because("text_as_workbook", kind=name)
    return kind


def _kind_inside(path: Path) -> str:
    """The kind of document in a ZIP; empty if it is not recognised."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
            if any(entry.flag_bits & 1 for entry in archive.infolist()):
                raise because("password")
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        return ""
    return next((kind for part, kind in _PARTS.items() if part in names), "ZIP" if names else "")


def _holds(path: Path, sought: bytes) -> bool:
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return content.find(sought) >= 0
