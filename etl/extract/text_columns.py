"""The distinct texts of a column in Arrow's layout: one buffer of bytes, and the offset of each text.

Many short texts are checked on the bytes at once: creating a string of each takes longer than checking it.
"""

from collections.abc import Sequence
from functools import cached_property

import numpy as np
import pyarrow as pa

from etl.core import text_folding


class Texts:
    """Texts without null. `Texts.of` creates them from strings."""

    def __init__(self, array: pa.StringArray) -> None:
        self.array = array

    @classmethod
    def of(cls, written: Sequence[str]) -> "Texts":
        """The texts of a list; characters that UTF-8 cannot encode become a question mark."""
        return cls(pa.array([text.encode("utf-8", "replace").decode() for text in written], pa.string()))

    def __len__(self) -> int:
        return len(self.array)

    @cached_property
    def written(self) -> list[str]:
        """All texts as strings."""
        return self.array.to_pylist()

    def at(self, places: np.ndarray) -> list[str]:
        """The texts at the given indices as strings."""
        return self.array.take(pa.array(places)).to_pylist()

    @cached_property
    def is_printable(self) -> bool:
        """Whether all texts consist of printable characters."""
        signs, _ = self._bytes
        return bool(((signs >= 0x20) & (signs < 0x7F)).all()) or "".join(self.written).isprintable()

    def of_length(self, length: int) -> tuple[np.ndarray, np.ndarray]:
        """The indices of the texts of `length` bytes (with Latin digits), and their bytes, one text per row."""
        signs, starts = self._in_latin_digits
        places = np.flatnonzero(np.diff(starts) == length)
        return places, signs[starts[places][:, None] + np.arange(length)]

    @cached_property
    def _bytes(self) -> tuple[np.ndarray, np.ndarray]:
        """The bytes of all texts, and their offsets (n + 1)."""
        if not len(self.array):
            return np.zeros(0, np.uint8), np.zeros(1, np.int64)
        _, offsets, data = self.array.buffers()
        starts = np.frombuffer(offsets, np.int32)[self.array.offset : self.array.offset + len(self.array) + 1]
        signs = np.frombuffer(data or b"", np.uint8)[starts[0] : starts[-1]]
        return signs, starts.astype(np.int64) - starts[0]

    @cached_property
    def _in_latin_digits(self) -> tuple[np.ndarray, np.ndarray]:
        signs, starts = self._bytes
        if (signs < 0x80).all():
            return signs, starts
        signs, is_kept = text_folding.latin_digit_signs(signs)
        return signs[is_kept], np.concatenate(([0], np.cumsum(is_kept)))[starts]
