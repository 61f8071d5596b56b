"""The planted faults can be planted: each line stands once in its file, and each has tests."""

import pytest

from tests import planted

FAULTS = planted.faults()


def test_there_are_forty() -> None:
    assert len(FAULTS) >= 40


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_planted_fault_has_its_line_and_its_tests(fault: planted.Fault) -> None:
    assert (planted.ROOT / fault.file).read_text("utf-8").count(fault.line) == 1, "follow the line to where it is now"
    assert fault.planted != fault.line
    assert all((planted.ROOT / word.partition("::")[0]).exists() for word in fault.caught_by.split() if "/" in word)
