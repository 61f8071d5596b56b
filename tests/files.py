"""Export files as bytes."""

import io
from collections.abc import Callable
from typing import Any

from etl.semantic import disclosure
from ui.charts.elements import ChartContext
from ui.exports import workbook, writers


def _as_bytes(
    write: Callable[..., None],
    source: Any,
    context: ChartContext,
    circulation: bool = False,
    *arguments: Any,
    **options: Any,
) -> bytes:
    out = io.BytesIO()
    write(out, disclosure.for_circulation(source) if circulation else source, context, *arguments, **options)
    return out.getvalue()


def to_csv(*arguments: Any, **options: Any) -> bytes:
    return _as_bytes(writers.write_csv, *arguments, **options)


def to_xlsx(*arguments: Any, **options: Any) -> bytes:
    return _as_bytes(workbook.write_xlsx, *arguments, **options)


def to_parquet(*arguments: Any, **options: Any) -> bytes:
    return _as_bytes(writers.write_parquet, *arguments, **options)
