"""Who is clearly below or above the whole, in words: the same sentence on pages, in briefings and in what needs action.

Also the ranks of one province: its numbers beside those of the nation, and on which side it clearly is.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from etl.analysis.comparison import median_of_provinces
from etl.core.errors import QuestionError
from etl.semantic.answers import Answer, Metric
from etl.semantic.ranking import worse_side
from etl.semantic.rights import BELOW_PROVINCE
from ui.i18n import member_names, text
from ui.summary.sources import Sources

MOST_NAMED = 5
_MOST_IN_TITLE = 2
_Names = Callable[[str, Any], str]


def findings(sources: Sources, name: str) -> list[str]:
    """The sentences of a rate: which provinces differ from the nation, or on which side the one province is, and its counties."""
    with suppress(QuestionError):
        provinces = sources.different(name, "province")
        if not sources.province:
            return [sentence(provinces, sources.lang, sources.member)]
        place = of_place(provinces, sources.province, sources.lang, sources.member)
        return [place, sentence(sources.different(name, "county"), sources.lang, sources.member)]
    return []


def sentence(answer: Answer, lang: str, member: _Names, most: int = MOST_NAMED) -> str:
    """How many groups are clearly worse than the whole, and who, the widest difference first; `answer` is of `different`.

    Without a direction the groups of both sides are named. At most `most` names, then how many others. Where nobody is, it
    says how many groups are not compared; and where nobody is on the other side either, that chance is not ruled out.
    """
    metric, by = answer.metrics[0], answer.by[0]
    rows = answer.records()
    if all(row["side"] == "untested" for row in rows):
        return text.word("different.too_few", lang, measure=metric.short[lang], nobody=_nobody(answer, lang))
    worse = worse_side(metric)
    named = [row for row in rows if row["side"] in ([worse] if worse else ("lower", "higher"))]
    values = words(answer, metric, worse or "unlike", lang, len(named))
    values["value"] = text.amount(rows[0]["whole_value"], metric.unit, lang)
    if not named:
        is_anybody = any(row["side"] in ("lower", "higher") for row in rows)
        by_chance = "" if is_anybody else text.word("different.by_chance", lang)
        nobody = text.word("different.nobody", lang, **values)
        return " ".join(filter(None, (nobody, by_chance, _not_compared(answer, lang))))
    names = []
    for row in named:
        value = row[metric.name]
        name = text.isolated(member(by, row[by]), lang)
        # A name never parts from its value at the end of a line; a value that may not circulate is left out.
        names.append(name if value is None else f"{name}\u00a0{text.plain(value, metric.unit, lang)}")
    return text.word("different.some", lang, names=_listed(names, most, str(values["group"]), lang), **values)


def _not_compared(answer: Answer, lang: str) -> str:
    """How many known groups have too few people or institutes to be compared; empty if all are."""
    by = answer.by[0]
    untested = sum(row["side"] == "untested" and row[by] is not None for row in answer.records())
    few = words(answer, answer.metrics[0], "unlike", lang, untested)
    return text.word("different.not_compared", lang, **few) if untested else ""


def of_place(answer: Answer, place: Any, lang: str, member: _Names) -> str:
    """On which side of the whole one group is."""
    metric, by = answer.metrics[0], answer.by[0]
    row = next((row for row in answer.records() if row[by] == place), None)
    side = row["side"] if row else "untested"
    values = words(answer, metric, side if side in ("lower", "higher") else "unlike", lang)
    values["place"] = text.isolated(member(by, place), lang)
    if row is None or side == "untested":
        values["measure"] = text.inside(metric.short[lang], lang)
        return text.word("different.place_untested", lang, **values)
    here = text.plain(row[metric.name], metric.unit, lang)
    values["value"] = text.amount(row["whole_value"], metric.unit, lang)
    if row[metric.name] is not None:
        values["place"] = f"{values['place']} ({here})"
    return text.word("different.place_none" if side == "none" else "different.place", lang, **values)


def titles(answer: Answer, metric: Metric, side: str, names: Sequence[str], lang: str) -> list[str]:
    """Titles about the groups on a side of the whole, the best first: their names if they are few, their number, or nobody."""
    values = words(answer, metric, side, lang, len(names))
    if not names:
        return [text.word("different.title_nobody", lang, **values)]
    keys = ("title_named", "title_many") if len(names) <= _MOST_IN_TITLE else ("title_many",)
    return [text.word(f"different.{key}", lang, names=text.listed(names, lang), **values) for key in keys]


def title_of_both(answer: Answer, metric: Metric, counts: Sequence[tuple[str, int]], lang: str) -> str:
    """How many groups are on each of the two sides of the whole, the side named first first."""
    (first, here), (_, there) = counts
    values = words(answer, metric, first, lang, here)
    values |= {name: written(count, lang) for name, count in (("count", here), ("there", there))}
    return text.word(f"different.title_{first}_first", lang, **values)


def written(count: int, lang: str) -> str:
    """A number of groups in a sentence with another number; Persian writes one as a word."""
    return text.word("different.single", lang) if count == 1 else text.number(count, lang)


def words(answer: Answer, metric: Metric, side: str, lang: str, count: int = 0) -> dict[str, object]:
    """The words of a sentence about the groups on a side (lower, higher, unlike) of the whole."""
    whole = text.word(f"different.{whole_of(answer)}", lang)
    return {
        "measure": metric.short[lang],
        "beyond": text.word(f"different.{side}", lang, whole=whole),
        "whole": whole,
        "count": text.number(count, lang),
        "group": group(answer, lang, count),
        "nobody": _nobody(answer, lang),
    }


def group(answer: Answer, lang: str, count: int) -> str:
    """The word for the groups after their number: provinces of which only some are asked for are the chosen ones."""
    counted = member_names.counted(kind_of(answer.by), lang, count)
    return text.word("different.chosen", lang, group=counted) if _is_of_chosen(answer) else counted


def _nobody(answer: Answer, lang: str) -> str:
    return text.word("nobody.chosen" if _is_of_chosen(answer) else f"nobody.{kind_of(answer.by)}", lang)


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


COMPARED = (
    "coverage_per_10k",
    "training_compliance",
    "leaver_rate_12m",
    "within_25_days_share",
    "judicial_officer_share",
)
# The headings of the cells of a row.
HEADS = ("profile.here", "figure.nation_line", "profile.side")


def ranks(sources: Sources, everywhere: Mapping[str, Answer], similar: Collection[str] = ()) -> list[list[str]]:
    """In words: the measure, the numbers of the province and the nation, and whether they clearly differ.

    `everywhere` has the provinces of each measure against the nation. With `similar` provinces their median is the last cell.
    """
    lines = []
    for answer in everywhere.values():
        metric = answer.metrics[0]
        label = metric.label[sources.lang]
        if answer.on and answer.on != sources.on:
            label = sources.word("change.settled", label=label, day=sources.day(answer.on))
        row = next((row for row in answer.records() if row["province"] == sources.province), None)
        side = row["side"] if row else "untested"
        numbers = [row[name] if row else None for name in (metric.name, "whole_value")]
        cells = [text.plain(value, metric.unit, sources.lang) for value in numbers]
        cells.append(sources.word(f"different.{side}", whole=sources.word(f"different.{whole_of(answer)}")))
        if similar:
            median = median_of_provinces(replace(answer, rows=[row for row in answer.rows if row[0] in similar]))
            cells.append(text.plain(median.value(metric.name), metric.unit, sources.lang))
        lines.append([label, *cells])
    return lines
