"""Provinces and counties are read under each of their names."""

import pytest

from etl.core.places import places
from etl.core.text_folding import fold


@pytest.mark.parametrize("name", ["سنندج", "Sanandaj", "Sadaj", "1204"])
def test_a_county_whose_english_name_was_corrected_is_read_under_both(name: str) -> None:
    assert places().counties["IR-12", fold(name)] == "1204"
