"""Which institutes make the breaks of a projection, in words, for who may see them."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace

from etl.core import jalali
from etl.core.errors import QuestionError
from ui.charts import forecast
from ui.charts.elements import ChartContext
from ui.data import ask as asking
from ui.data.ask import Ask
from ui.exhibits.exhibit import Drawing, Exhibit
from ui.i18n import text
from ui.state.questions import on_day
from ui.state.scope import Scope
from ui.summary import changes

_ACTIVE = "active_assistants"
# A break that more institutes make than this has no few that explain it; so many breaks are told, the latest ones.
_MOST_INSTITUTES, _MOST_BREAKS = 3, 2


def with_reasons(scope: Scope, ask: Ask, made: Exhibit) -> Exhibit:
    """A projection with the institutes that make at least half of its latest breaks. What circulates names none."""
    answer = made.answer
    is_projection = answer is not None and isinstance(made.form, Drawing) and "break_size" in answer.columns
    # Of a county the trend stands in place of the projection.
    if answer is None or not is_projection or ask is not ask.exactly:
        return made
    breaks = [(answer.rows[at][0], answer.rows[at][5]) for at in forecast.breaks(answer)][-_MOST_BREAKS:]
    return replace(made, own_notes=(*made.own_notes, *(said for one in breaks for said in _said(scope, ask, *one))))


def _said(scope: Scope, ask: Ask, month: str, size: float) -> Iterator[str]:
    """«جهش آبان ۱۴۰۴: دست‌کم نیمی از آن در دیدبان هوشیار (+۱۱۶)»; nothing where many institutes make it."""
    unit, context = jalali.month(month), ChartContext(scope.lang, names=asking.names(ask, scope.lang))
    with suppress(QuestionError):
        after, before = (
            {
                row["institute"]: row[_ACTIVE] or 0
                for row in on_day(scope, ask, _ACTIVE, by=("institute",), day=day).records()
            }
            for day in (min(unit.last, scope.day), unit.first - jalali.DAY)
        )
        # Those that go the way of the break, the largest first.
        moved = {code: after.get(code, 0) - before.get(code, 0) for code in {*after, *before} - {None}}
        way = sorted((code for code in moved if moved[code] * size > 0), key=lambda code: (-abs(moved[code]), code))
        for count in range(1, min(_MOST_INSTITUTES, len(way)) + 1):
            if sum(abs(moved[code]) for code in way[:count]) >= abs(size) / 2:
                names = [
                    f"{context.named('institute', code)} ({text.number(moved[code], scope.lang, signed=True)})"
                    for code in way[:count]
                ]
                what = changes.broken(month, size, scope.lang)
                yield text.word("figure.broken_by", scope.lang, what=what, names=text.listed(names, scope.lang))
                return
