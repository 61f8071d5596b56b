"""Who is below or above the whole, in words: the same sentence on pages, in briefings and in what needs action.

Where nobody is named, the lowest are said as what they are.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from etl.analysis.different import FAR_ABOVE, FAR_BELOW
from etl.semantic.answers import Answer, Metric
from etl.semantic.catalog import catalogue, size_of
from etl.semantic.ranking import is_full_count, least, named_side, named_sides, worse_side
from etl.semantic.rights import BELOW_PROVINCE
from etl.warehouse.dimensions import PLACES
from ui.i18n import member_names, text
from ui.summary.claims import BOUNDS, Claim, Said, claim, together

MOST_NAMED = 5
MOST_IN_TITLE = 2
_LOWEST = 3
# The units of counts.
COUNTS = ("persons", "institutes", "applications", "licences", "counties", "completions", "seats")
_Names = Callable[[str, Any], str]


def counted(answer: Answer) -> list[dict[str, Any]]:
    """Every group on the worse side, of a rate without a direction on either, the first of it first."""
    metric = answer.metrics[0]
    sides = (named_side(metric),) if worse_side(metric) else named_sides(metric)
    return [row for row in answer.records() if any(is_on(row, metric, side) for side in sides)]


def is_on(row: Mapping[str, Any], metric: Metric, side: str) -> bool:
    """Whether a group is on a side of the whole. Of a full count nothing is sampled: one of few, or of nobody, counts too."""
    value, whole = row[metric.name], row.get("whole_value")
    if row["side"] != "untested" or not is_full_count(metric.name) or value is None or whole is None:
        return row["side"] == side
    return (side == "far_lower" and value < FAR_BELOW * whole) or (side == "far_higher" and value > FAR_ABOVE * whole)


def named(answer: Answer) -> list[dict[str, Any]]:
    """Those of them that a sentence names: not of few. Counties with most residents come first, others in their order."""
    rows = [row for row in counted(answer) if row["side"] != "untested"]
    if _is_of_counties(answer):
        residents = str(answer.metrics[0].denominator)
        rows.sort(key=lambda row: (-(row[residents] or 0), row["county"]))
    return rows


def _is_of_counties(answer: Answer) -> bool:
    return answer.by == ("county",) and is_full_count(answer.metrics[0].name)


def on_side(answer: Answer, rows: Sequence[Mapping[str, Any]], side: str, number: int | None = None) -> Claim:
    """The claim that so many groups are on a side of the whole, of whom these are named."""
    metric, by = answer.metrics[0], answer.by
    members: dict[str, Any] = {
        "members": tuple(row[by[0]] for row in rows),
        "values": tuple(row[metric.name] for row in rows),
    }
    if is_full_count(metric.name):
        return claim("count", answer, side=BOUNDS[side], number=number, **members)
    asked: dict[str, Any] = {"analysis": "different", "options": (("metric", metric.name), ("by", by[0]))}
    return claim("count", answer, side=side, number=number, **members, **asked)


def of_whole(answer: Answer, row: Mapping[str, Any]) -> Claim:
    """The claim of the number that groups are compared with."""
    is_nation = whole_of(answer) == "nation"
    where = {name: codes for name, codes in answer.where.items() if not (is_nation and name in PLACES)}
    whole = replace(answer, by=(), where=where)
    return claim("value", whole, number=row["whole_value"])


def sentence(answer: Answer, lang: str, member: _Names, most: int = MOST_NAMED) -> Said:
    """How many groups are worse than the whole, and who, and who is low though chance is not ruled out.

    `answer` is of `different`. At most `most` names, then how many others. Where nobody is named, the lowest as what they are;
    nothing where no group can be compared.
    """
    found = counted(answer)
    if all(row["side"] == "untested" for row in answer.records()):
        return Said()
    if not found:
        said = [_lowest(answer, lang, member)]
    elif _is_of_counties(answer):
        said = [_counties(answer, found, lang, member, most)]
    else:
        said = [_some(answer, found, lang, member, most)]
        said += [_unclear("unclear", answer, row, lang, member) for row in answer.records() if row["side"] == "unclear"]
    if any(said) and _is_of_counties(answer):
        said.append(Said(text.word("different.residents", lang)))
    return together(said)


def _some(answer: Answer, found: Sequence[Mapping[str, Any]], lang: str, member: _Names, most: int) -> Said:
    """How many, and who they are."""
    metric = answer.metrics[0]
    side = named_side(metric) or "unlike"
    values = words(answer, metric, side, lang, len(found))
    values["value"] = _of_whole(found[0], metric, lang)
    large = named(answer)
    shown = large if len(found) <= most + 1 else large[:most]
    names = _listed(_with_values(answer, shown, lang, member), len(found) - len(shown), str(values["group"]), lang)
    key = "different.some_far_lower" if side == "far_lower" else "different.some"
    written = text.word(key, lang, names=names, **values)
    claims = [
        on_side(
            answer, [row for row in shown if row["side"] == one], one, sum(is_on(row, metric, one) for row in found)
        )
        for one in ([side] if side != "unlike" else named_sides(metric))
    ]
    return Said(written, (*claims, of_whole(answer, found[0])))


def _counties(answer: Answer, found: Sequence[Mapping[str, Any]], lang: str, member: _Names, most: int) -> Said:
    """How many counties of all are far below, how many of these have nobody, and the largest of them."""
    metric, everyone, shown = answer.metrics[0], answer.records(), named(answer)[:most]
    part, residents = str(metric.numerator), str(metric.denominator)
    nobody = sum(not row[part] for row in everyone)
    values = words(answer, metric, named_side(metric), lang, len(found)) | {
        "value": _of_whole(found[0], metric, lang),
        "all": text.number(len(everyone), lang),
    }
    written = text.word("different.counties", lang, **values)
    if nobody:
        written += text.word("different.counties_nobody", lang, count=text.number(nobody, lang))
    if shown:
        names = joined(_with_values(answer, shown, lang, member), lang)
        written += text.word("different.counties_largest", lang, names=names)
    claims = (
        on_side(answer, shown, named_side(metric), len(found)),
        claim("count", answer, side="zero", number=nobody),
        claim("count", answer, residents, side="above:0", number=len(everyone)),
        of_whole(answer, found[0]),
    )
    return Said(f"{written}.", claims)


def _lowest(answer: Answer, lang: str, member: _Names) -> Said:
    """Up to three of the worst groups, never all of them, and none better than the whole; none without a direction."""
    metric, worse = answer.metrics[0], worse_side(answer.metrics[0])
    fewest = 0 if is_full_count(metric.name) else least(catalogue()[size_of(metric)].unit)
    everyone = [row for row in answer.records() if row[metric.name] is not None]
    large = [row for row in everyone if (row.get(size_of(metric)) or 0) >= fewest]
    large.sort(key=lambda row: (row[metric.name] * (-1 if worse == "higher" else 1), row[answer.by[0]]))
    shown = [row for row in large if not _is_better(row, metric, worse)][: min(_LOWEST, len(large) - 1)]
    if not (worse and shown):
        return Said()
    key = "highest" if worse == "higher" else "least_covered" if is_full_count(metric.name) else "lowest"
    measure = text.inside(metric.short[lang], lang)
    is_cut = len(large) < len(everyone)
    if is_cut:
        measure = text.word("finding.large", lang, measure=measure, fewest=at_least(metric, lang))
    written = text.word(
        f"different.{key}",
        lang,
        names=joined(_with_values(answer, shown, lang, member), lang),
        measure=measure,
        groups=text.word(f"plural.{kind_of(answer.by)}", lang),
        whole=text.word(f"different.mean_{whole_of(answer)}", lang),
        value=_of_whole(shown[0], metric, lang),
    )
    by = answer.by[0]
    said: dict[str, Any] = {
        "members": tuple(row[by] for row in shown),
        "values": tuple(row[metric.name] for row in shown),
    }
    end = claim("most" if worse == "higher" else "least", answer, least_size=fewest * is_cut, **said)
    return Said(written, (end, of_whole(answer, shown[0])))


def at_least(metric: Metric, lang: str, fewest: int | None = None) -> str:
    """The fewest people, or institutes, of a group that is ranked, in words."""
    known = catalogue().get(size_of(metric), metric)
    return text.amount(
        least(known.unit) if fewest is None else fewest, known.unit if known.unit in COUNTS else "persons", lang
    )


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


def _unclear(key: str, answer: Answer, row: Mapping[str, Any], lang: str, member: _Names) -> Said:
    """Says that a group is low or high, but has too few institutes to rule out chance."""
    metric, by = answer.metrics[0], answer.by[0]
    name, value = text.isolated(member(by, row[by]), lang), row[metric.name]
    place = name if value is None else f"{name} ({text.plain(value, metric.unit, lang)})"
    whole = _of_whole(row, metric, lang)
    # Not everybody may see the institutes of another province.
    institutes = row["institutes_compared"]
    few = institutes and text.word("different.with_institutes", lang, count=text.number(institutes, lang))
    values = {"place": place, "few": few or "", "value": whole}
    claims = [claim("value", answer, members=(row[by],), values=(value,))]
    if institutes:
        asked = {"analysis": "different", "options": (("metric", metric.name), ("by", by))}
        few_of = claim("value", answer, "institutes_compared", members=(row[by],), values=(institutes,), **asked)
        claims.append(few_of)
    if key != "unclear":
        values |= {"measure": metric.short[lang], "whole": text.word("different.mean_nation", lang)}
        claims.append(of_whole(answer, row))
    return Said(text.word(f"different.{key}_{worse_side(metric)}", lang, **values), tuple(claims))


def of_place(answer: Answer, place: Any, lang: str, member: _Names) -> Said:
    """On which side of the whole one group is, or its number beside that of the whole; nothing without a number."""
    metric, by = answer.metrics[0], answer.by[0]
    row = next((row for row in answer.records() if row[by] == place), None)
    if row is None:
        return Said()
    if row["side"] == "unclear":
        return _unclear("place_unclear", answer, row, lang, member)
    name, value, here = text.isolated(member(by, place), lang), _of_whole(row, metric, lang), row[metric.name]
    claims = (claim("value", answer, members=(place,), values=(here,)), of_whole(answer, row))
    if row["side"] in ("none", "untested"):
        if here is None or is_of_few(answer, row):
            return Said()
        written, whole = text.plain(here, metric.unit, lang), text.word("different.mean_nation", lang)
        names = {"measure": metric.short[lang], "place": name, "here": written, "whole": whole}
        return Said(text.word("different.place_is", lang, value=value, **names), claims)
    values = words(answer, metric, row["side"], lang)
    values |= {"value": value, "place": name}
    if here is not None:
        values["place"] = f"{name} ({text.plain(here, metric.unit, lang)})"
    return Said(text.word("different.place", lang, **values), claims)


def is_of_few(answer: Answer, row: Mapping[str, Any]) -> bool:
    """Whether a share is of too few people or institutes to be said."""
    counted = size_of(answer.metrics[0])
    return row["side"] == "untested" and (row.get(counted) or 0) < least(catalogue()[counted].unit)


def titles(answer: Answer, metric: Metric, side: str, names: Sequence[str], count: int, lang: str) -> list[str]:
    """Titles about the groups on a side of the whole, the best first: their names if they are all and few, their number.

    Where the words of a side are too long, those of a key stand for them.
    """
    values = words(answer, metric, side, lang, count) | {"names": text.listed(names, lang)}
    keys = ("title_named", "title_many") if len(names) == count <= MOST_IN_TITLE else ("title_many",)
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


def _listed(names: Sequence[str], others: int, group: str, lang: str) -> str:
    """Names, and how many others there are."""
    if not (names and others):
        return joined(names, lang)
    count, group = text.number(others, lang), text.with_ezafe(group, lang)
    return text.word("different.others", lang, names=text.listed(names, lang), count=count, group=group)
