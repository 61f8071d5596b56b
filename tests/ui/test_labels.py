"""The labels of provinces on a small map: a value for each, the names of those behind, and none across another one."""

import math
import random
import re
from itertools import combinations

import pytest

from tests.ui.test_charts import answer
from ui.charts import boundaries, maps
from ui.charts.elements import ChartContext, Figure
from ui.i18n import member_names, text

# Between them a province is behind, or is not told apart.
SHARE, NATION = 0.845, 0.9
# The height of a map in a panel of the first screen, and on a page of its own.
PANEL, PAGE = 240, 430


def provinces(behind: set[str], context: ChartContext, height: int) -> Figure:
    """The labels of a map of all provinces, of which some are `behind`: the last trace but one."""
    rows = [
        (code, SHARE, NATION, 0.01, 9, 845, 1000, "lower" if code in behind else "none")
        for code in sorted(boundaries.codes("province"))
    ]
    more = ("whole_value", "p_value", "institutes_compared", "trained_assistants", "trainable_assistants", "side")
    made = answer("training_compliance", by=("province",), more=more, rows=rows)
    wide: Figure = maps.provinces(made, context, height=height)["data"][-2]
    return wide


def boxes(labels: Figure, height: int) -> list[tuple[str, float, float, float, float]]:
    """Each label with its left, right, lower and upper end in pixels, a letter half as wide as high."""

    def up(latitude: float) -> float:
        return math.degrees(math.log(math.tan(math.pi / 4 + math.radians(latitude) / 2)))

    south, north = maps.COUNTRY[1]
    pixels, size = height / (up(north) - up(south)), labels["textfont"]["size"]
    found = []
    for x, y, words in zip(labels["lon"], labels["lat"], labels["text"], strict=True):
        lines = re.sub("</?b>|[\u2066-\u2069\u061c]", "", words).split("<br>")
        across, high = max(map(len, lines)) * size / 2, size * (1.3 * len(lines) - 0.4)
        middle = up(y) * pixels
        found.append((words, x * pixels - across / 2, x * pixels + across / 2, middle - high / 2, middle + high / 2))
    return found


def overlapping(labels: Figure, height: int) -> list[tuple[str, str]]:
    return [
        (one[0], other[0])
        for one, other in combinations(boxes(labels, height), 2)
        if min(one[2], other[2]) - max(one[1], other[1]) > 2 and min(one[4], other[4]) - max(one[3], other[3]) > 2
    ]


@pytest.mark.parametrize("lang", text.LANGUAGES)
@pytest.mark.parametrize("height", [PANEL, PAGE])
def test_no_label_lies_across_another_one_and_each_province_has_its_value(lang: str, height: int) -> None:
    context, rng = ChartContext(lang), random.Random(7)
    codes, value = sorted(boundaries.codes("province")), re.sub("[^\\d٫.]", "", text.plain(SHARE, "share", lang))
    for _ in range(30):
        labels = provinces({*rng.sample(codes, rng.randint(0, 9))}, context, height)
        assert overlapping(labels, height) == []
        assert sum(words.count(value) for words in labels["text"]) == len(codes)


@pytest.mark.parametrize("lang", text.LANGUAGES)
def test_a_province_behind_has_its_name_on_a_small_map_too(lang: str) -> None:
    context = ChartContext(lang)
    # Those of the north-west, where most are close to each other.
    behind = {"IR-04", "IR-12", "IR-24", "IR-26", "IR-27", "IR-20"}
    words = "".join(provinces(behind, context, PANEL)["text"])
    for code in behind:
        assert member_names.short(code, lang) in words


@pytest.mark.parametrize("lang", text.LANGUAGES)
def test_no_label_is_cut_at_the_upper_or_lower_edge(lang: str) -> None:
    labels = provinces({"IR-30", "IR-23", "IR-27", "IR-24", "IR-01"}, ChartContext(lang), PANEL)
    south, north = (math.degrees(math.asinh(math.tan(math.radians(end)))) for end in maps.COUNTRY[1])
    pixels = PANEL / (north - south)
    for words, *_, low, high in boxes(labels, PANEL):
        assert south * pixels <= low, words
        assert high <= north * pixels, words


def test_on_a_large_map_labels_stand_where_the_file_says() -> None:
    labels = provinces({"IR-04", "IR-12"}, ChartContext("fa"), PAGE)
    points = {tuple(label[at]) for label in maps._LABELS.values() for at in ("at", "alone") if at in label}
    assert {*zip(labels["lon"], labels["lat"], strict=True)} <= points
