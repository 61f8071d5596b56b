"""The people of the tests: of two provinces, of one of them, of the whole country, and without rights."""

from etl.semantic.rights import WHOLE_COUNTRY, AccessScope, Grant

TEHRAN, ISFAHAN, FARS = "IR-23", "IR-10", "IR-14"
OF_TEHRAN = AccessScope("tehran.officer", frozenset({Grant("province", frozenset({TEHRAN}), True, False)}))
OF_ISFAHAN = AccessScope("isfahan.officer", frozenset({Grant("province", frozenset({ISFAHAN}), True, True)}))
OF_TWO = AccessScope("two.officer", frozenset({Grant("province", frozenset({ISFAHAN, FARS}), False, True)}))
NATIONAL = AccessScope("national.analyst", frozenset({Grant("national", WHOLE_COUNTRY, True, True)}))
NONE = AccessScope("stranger", frozenset())
