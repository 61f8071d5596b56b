"""Who is below or above the whole, in words: the same sentence on pages, in briefings and in what needs action.

Where nobody is named, the lowest are said as what they are.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from etl.semantic.answers import Answer, Metric
from etl.semantic.catalog import catalogue, size_of
from etl.semantic.ranking import is_full_count, least, named_side, named_sides, worse_side
from etl.semantic.rights import BELOW_PROVINCE
from ui.i18n import member_names, text

MOST_NAMED = 5
_MOST_IN_TITLE = 2
_LOWEST = 3
_Names = Callable[[str, Any], str]


def _said(*sentences: str) -> list[str]:
    return [sentence for sentence in sentences if sentence]


def named(answer: Answer) -> list[dict[str, Any]]:
    """The rows whose groups a sentence names: those on the worse side, of a rate without a direction on either."""
    metric = answer.metrics[0]
    sides = (named_side(metric),) if worse_side(metric) else named_sides(metric)
    return [row for row in answer.records() if row["side"] in sides]


def sentence(answer: Answer, lang: str, member: _Names, most: int = MOST_NAMED) -> str:
    """How many groups are worse than the whole, and who, and who is low though chance is not ruled out.

    `answer` is of `different`. At most `most` names, then how many others. Where nobody is named, the lowest as what they are;
    nothing where there are none.
    """
    metric, by = answer.metrics[0], answer.by[0]
    found = named(answer)
    if found:
        side = named_side(metric) or "unlike"
        values = words(answer, metric, side, lang, len(found))
        values["value"] = _of_whole(found[0], metric, lang)
        names = _with_values(answer, found, lang, member)
        said = [text.word("different.some", lang, names=_listed(names, most, str(values["group"]), lang), **values)]
        said += [
            _unclear("unclear", row, text.isolated(member(by, row[by]), lang), metric, lang)
            for row in answer.records()
            if row["side"] == "unclear"
        ]
    else:
        said = _said(_lowest(answer, lang, member))
    if said and by == "county" and is_full_count(metric.name):
        said.append(text.word("different.residents", lang))
    return " ".join(said)


def _lowest(answer: Answer, lang: str, member: _Names) -> str:
    """Up to three of the worst comparable groups, never all of them, and none better than the whole; none without a direction."""
    metric, worse = answer.metrics[0], worse_side(answer.metrics[0])
    known = [row for row in answer.records() if row["side"] != "untested"]
    shown = [row for row in known if not _is_better(row, metric, worse)][: min(_LOWEST, len(known) - 1)]
    if not (worse and shown):
        return ""
    key = "highest" if worse == "higher" else "least_covered" if is_full_count(metric.name) else "lowest"
    whole = text.word(f"different.mean_{whole_of(answer)}", lang)
    value = _of_whole(shown[0], metric, lang)
    measure = text.inside(metric.short[lang], lang)
    names = joined(_with_values(answer, shown, lang, member), lang)
    groups = text.word(f"plural.{kind_of(answer.by)}", lang)
    return text.word(f"different.{key}", lang, names=names, measure=measure, groups=groups, whole=whole, value=value)


def _is_better(row: Mapping[str, Any], metric: Metric, worse: str) -> bool:
    """Whether the number of a group is on the better side of the whole's, by chance or not."""
    value, whole = row[metric.name], row["whole_value"]
    if None in (value, whole):
        return row["side"] == {"lower": "higher", "higher": "lower"}.get(worse)
    return value > whole if worse == "lower" else value < whole


def _with_values(answer: Answer, rows: Sequence[Mapping[str, Any]], lang: str, member: _Names) -> list[str]:
    by, metric = answer.by[0], answer.metrics[0]
    return [_with_value(text.isolated(member(by, row[by]), lang), row[metric.name], metric, lang) for row in rows]


def _with_value(name: str, value: Any, metric: Metric, lang: str) -> str:
    """A name never parts from its value at the end of a line; a value that may not circulate is left out."""
    return name if value is None else f"{name}\u00a0{text.plain(value, metric.unit, lang)}"


def _of_whole(row: Mapping[str, Any], metric: Metric, lang: str) -> str:
    """The number of the whole that a group is compared with; in words that it may not circulate."""
    value = row["whole_value"]
    return text.word("file.status_c", lang) if value is None else text.amount(value, metric.unit, lang)


def _unclear(key: str, row: Mapping[str, Any], name: str, metric: Metric, lang: str) -> str:
    """Says that a group is low or high, but has too few institutes to rule out chance."""
    value = row[metric.name]
    place = name if value is None else f"{name} ({text.plain(value, metric.unit, lang)})"
    whole = _of_whole(row, metric, lang)
    # Not everybody may see the institutes of another province.
    institutes = row["institutes_compared"]
    few = institutes and text.word("different.with_institutes", lang, count=text.number(institutes, lang))
    values = {"place": place, "few": few or "", "value": whole}
    if key != "unclear":
        values |= {"measure": metric.short[lang], "whole": text.word("different.mean_nation", lang)}
    return text.word(f"different.{key}_{worse_side(metric)}", lang, **values)


def of_place(answer: Answer, place: Any, lang: str, member: _Names) -> str:
    """On which side of the whole one group is, or its number beside that of the whole; nothing without a number."""
    metric, by = answer.metrics[0], answer.by[0]
    row = next((row for row in answer.records() if row[by] == place), None)
    if row is None:
        return ""
    name = text.isolated(member(by, place), lang)
    if row["side"] == "unclear":
        return _unclear("place_unclear", row, name, metric, lang)
    value = _of_whole(row, metric, lang)
    if row["side"] in ("none", "untested"):
        if row[metric.name] is None or is_of_few(answer, row):
            return ""
        here, whole = text.plain(row[metric.name], metric.unit, lang), text.word("different.mean_nation", lang)
        names = {"measure": metric.short[lang], "place": name, "here": here, "whole": whole}
        return text.word("different.place_is", lang, value=value, **names)
    values = words(answer, metric, row["side"], lang)
    values |= {"value": value, "place": name}
    if row[metric.name] is not None:
        values["place"] = f"{name} ({text.plain(row[metric.name], metric.unit, lang)})"
    return text.word("different.place", lang, **values)


def is_of_few(answer: Answer, row: Mapping[str, Any]) -> bool:
    """Whether a share is of too few people or institutes to be said."""
    counted = size_of(answer.metrics[0])
    return row["side"] == "untested" and (row.get(counted) or 0) < least(catalogue()[counted].unit)


def titles(answer: Answer, metric: Metric, side: str, names: Sequence[str], lang: str) -> list[str]:
    """Titles about the groups on a side of the whole, the best first: their names if they are few, their number.

    Where the words of a side are too long, those of a key stand for them.
    """
    values = words(answer, metric, side, lang, len(names)) | {"names": text.listed(names, lang)}
    keys = ("title_named", "title_many") if len(names) <= _MOST_IN_TITLE else ("title_many",)
    sides = (values["beyond"], short(answer, side, lang))
    return [text.word(f"different.{key}", lang, **values | {"beyond": said}) for key in keys for said in sides]


def beyond(metric: Metric, side: str, whole: str, lang: str) -> str:
    """A side of the whole in a sentence."""
    return text.word(f"different.{_key(metric, side)}", lang, whole=whole)


def short(answer: Answer, side: str, lang: str) -> str:
    """A side of the whole in a key or a cell."""
    key = _key(answer.metrics[0], side)
    key = key if is_full_count(answer.metrics[0].name) else f"short_{key}"
    return text.word(f"different.{key}", lang, whole=text.word(f"different.{whole_of(answer)}", lang))


def _key(metric: Metric, side: str) -> str:
    """The words of a side: what is lower by residents is so by a number and not beyond chance."""
    return {"lower": "quarter_lower", "higher": "third_higher"}.get(side, side) if is_full_count(metric.name) else side


def written(count: int, lang: str) -> str:
    """A number of groups in a sentence with another number; Persian writes one as a word."""
    return text.word("different.single", lang) if count == 1 else text.number(count, lang)


def words(answer: Answer, metric: Metric, side: str, lang: str, count: int = 0) -> dict[str, object]:
    """The words of a sentence about the groups on a side of the whole; `unlike` is either side."""
    whole = text.word(f"different.mean_{whole_of(answer)}", lang)
    return {
        "measure": metric.short[lang],
        "beyond": beyond(metric, side, whole, lang),
        "whole": whole,
        "count": text.number(count, lang),
        "group": group(answer, lang, count),
    }


def group(answer: Answer, lang: str, count: int) -> str:
    """The word for the groups after their number: provinces of which only some are asked for are the chosen ones."""
    counted = member_names.counted(kind_of(answer.by), lang, count)
    return text.word("different.chosen", lang, group=counted) if _is_of_chosen(answer) else counted


def _is_of_chosen(answer: Answer) -> bool:
    """Whether the groups are several provinces that the user chose; those of the user's rights are all that there are."""
    return answer.by == ("province",) and len(answer.where.get("province", ())) > 1 and not answer.left_out


def kind_of(by: Sequence[str]) -> str:
    """The dimension whose words name the groups, `group` if it has none."""
    has_words = len(by) == 1 and by[0] in ("province", "county", "institute", "course", "post", "activity")
    return by[0] if has_words else "group"


def whole_of(answer: Answer) -> str:
    """What groups are compared with: the nation, the one province of its counties, or all within the filters."""
    if BELOW_PROVINCE & {*answer.where}:
        return "whole"
    if answer.by == ("province",) or not answer.where:
        return "nation"
    return "province" if "county" in answer.by and len(answer.where.get("province", ())) == 1 else "whole"


def joined(names: Sequence[str], lang: str) -> str:
    """All of the names, the last after "and"."""
    if len(names) < 2:
        return "".join(names)
    return text.word("different.and", lang, names=text.listed(names[:-1], lang), last=names[-1])


def _listed(names: Sequence[str], most: int, group: str, lang: str) -> str:
    if len(names) > most + 1:
        count = text.number(len(names) - most, lang)
        return text.word(
            "different.others",
            lang,
            names=text.listed(names[:most], lang),
            count=count,
            group=text.with_ezafe(group, lang),
        )
    return joined(names, lang)
