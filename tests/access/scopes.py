"""The people of the tests: of two provinces, of one of them, of the whole country, and without rights."""

from etl.semantic.access import WHOLE_COUNTRY, AccessScope, nobody

TEHRAN, ISFAHAN, FARS = "IR-23", "IR-10", "IR-14"
OF_TEHRAN = AccessScope("tehran.officer", "province", frozenset({TEHRAN}), True, False)
OF_ISFAHAN = AccessScope("isfahan.officer", "province", frozenset({ISFAHAN}), True, True)
OF_TWO = AccessScope("two.officer", "province", frozenset({ISFAHAN, FARS}), False, True)
NATIONAL = AccessScope("national.analyst", "national", WHOLE_COUNTRY, True, True)
NONE = nobody("stranger")
