"""Checks of many texts as bytes give the results of single texts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl.core.text_folding import latin_digits
from etl.extract.text_columns import Texts

TEXTS = st.lists(st.text(st.sampled_from("ab 09۰۱۹٠٩یك٬٪ۺ\u200c\u200f\x00\n\x7f۹٩é𐍈"), max_size=8), max_size=12)


@given(TEXTS, st.integers(0, 3), st.integers(0, 12), st.integers(0, 9))
def test_those_of_a_length_are_found_with_their_bytes_wherever_the_run_begins(written, first, count, length):
    texts = Texts(Texts.of(written).array.slice(first, count))
    expected = [text for text in written[first:][:count] if len(latin_digits(text).encode()) == length]
    places, signs = texts.of_length(length)
    assert texts.at(places) == expected
    assert [bytes(row) for row in signs] == [latin_digits(text).encode() for text in expected]


@given(TEXTS)
def test_they_are_printable_where_each_is(written):
    assert Texts.of(written).is_printable == all(text.isprintable() for text in written)


@pytest.mark.parametrize("sign", [*map(chr, range(0x20)), "~", "\x7f", "\x80", "\u200f", "۹", "é"])
def test_one_sign_that_cannot_be_seen_is_enough(sign):
    assert Texts.of(["1403/01/01", f"a{sign}"]).is_printable == sign.isprintable()


def test_what_cannot_be_written_becomes_a_question_mark():
    assert Texts.of(["a\ud800b"]).written == ["a?b"]
