"""Whatever is typed, a person of one province is led to no county and no institute of another, and no fault is shown."""

import random
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from etl.analysis import detail
from etl.core.places import places
from etl.semantic import access
from etl.semantic.catalog import catalogue
from etl.semantic.rights import ADMINISTRATOR
from tests.access.scopes import ISFAHAN, OF_ISFAHAN
from tests.effort import draws
from tests.find.conftest import Find
from ui.find import reading
from ui.find.results import CONFIDENTIAL, MOST, RESULTS

STRINGS = draws(200, 10_000)
SIGNS = (
    "آابپتثجچحخدذرزژسشصضطظعغفقکگلمنوهیيكةىؤئ۰۱۲۳۴۵۶۷۸۹0123456789abcxyzTHVS;'[],. \t\u200c\u200f\u202e😀<>%_{}\\\"-–/«»"
)


def test_no_string_leads_out_of_the_province(small_register: Path, find: Find) -> None:
    with access.connect(small_register, ADMINISTRATOR) as con:
        institutes = list(detail.institutes(con).values())
    own_institutes = {one.code for one in institutes if one.province == ISFAHAN}
    foreign_names = {one.name for one in institutes} - {one.name for one in institutes if one.code in own_institutes}
    counties = {county.code for (province, _), county in places().counties.items() if province == ISFAHAN}
    known = [
        *(name for _, name in places().counties),
        *places().provinces,
        *(word for one in institutes for word in (one.code, one.name)),
        *(word for metric in catalogue().values() for word in (*metric.find, *metric.label.values())),
        *("زن", "نگهبان", "دیپلم", "۱۴۰۴", "پارسال", "آبان", "استان", "شهرستان", "مجوزهای رو به پایان"),
    ]
    rng = random.Random(58)
    answers = 0
    for _ in range(STRINGS):
        parts = [
            rng.choice(known) if rng.random() < 0.7 else "".join(rng.choices(SIGNS, k=rng.randint(1, 12)))
            for _ in range(rng.randint(1, 4))
        ]
        written = rng.choice((" ", "", "،", " و ")).join(parts)[: reading.MOST_LETTERS]
        found = find(written, OF_ISFAHAN, rng.choice(("fa", "en")))
        assert len(found.results) <= MOST
        for said in found.understood:
            assert said["kind"] != "county" or said["code"] in counties, written
            assert said["kind"] != "institute" or said["code"] in own_institutes, written
        for one in found.results:
            assert one.kind in RESULTS
            assert one.address.startswith("/")
            given = parse_qs(urlsplit(one.address).query)
            assert {*given.get("county", ())} <= counties, written
            assert {*given.get("institute", ())} <= own_institutes, written
            assert not any(name in one.title for name in foreign_names), written
            if one.kind == "answer":
                answers += 1
                filters = {*given} & {"activity", "gender", "education", "post", "course", "county"}
                foreign = {*given.get("province", ())} - {ISFAHAN}
                assert not (filters and foreign) or one.value == CONFIDENTIAL, written
    assert answers > STRINGS / 10, "the strings ask for numbers"
