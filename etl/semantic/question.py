"""A question, what it reads of the publication, and the rows that answer it."""

import operator
import re
from collections.abc import Mapping
from datetime import date
from functools import cached_property
from typing import Any

from etl.core.errors import QuestionError
from etl.semantic.catalog import Measure, catalogue, tables
from etl.semantic.combine import Key, Reading, combine, formula, in_order
from etl.semantic.lineage import sources_of_bases
from etl.semantic.preaggregates import Totals
from etl.semantic.selects import Stock, TableScan
from etl.warehouse.population import PROVINCES


class Question(Totals):
    """A question that has a meaning, and its answer."""

    def rows(self) -> list[tuple[Any, ...]]:
        """The members asked by, then the numbers shown; members in their order, what is not known last."""
        fetched: dict[str, list[tuple[Any, ...]]] = {}

        def fetch(sql: str) -> list[tuple[Any, ...]]:
            if sql not in fetched:
                fetched[sql] = self._con.execute(sql, _named_in(sql, self._parameters)).fetchall()
            return fetched[sql]

        zeros = {base.name: base.zero for base in self._bases.values()}
        met = combine(self._readings, fetch, self.by, self._always(), zeros)
        if all(name in zeros for name in self.shown):
            places = [[*zeros].index(name) for name in self.shown]
            return [(*key, *map(met[key].__getitem__, places)) for key in in_order(met)]
        works = [operator.itemgetter(name) if name in zeros else formula(name) for name in self.shown]
        rows = []
        for key in in_order(met):
            cells = dict(zip(zeros, met[key], strict=True))
            rows.append((*key, *[work(cells) for work in works]))
        return rows

    def sources(self) -> frozenset[str]:
        """The source and reference tables that the numbers are counted from."""
        return sources_of_bases(self._bases.values())

    def written(self) -> str:
        """The queries and what is worked out of them, to be read and pasted."""
        selects = list(dict.fromkeys(select.sql for reading in self._readings for select in reading.selects))
        # Read once for all questions.
        if any(self._is_constant(base) for base in self._bases.values()):
            selects.append(PROVINCES.replace("{day}", f"date '{self._day_of_constants()}'"))
        notes = [
            f"{', '.join(reading.names)}: of {', '.join(sorted(reading.provinces))} only"
            for reading in self._readings
            if reading.provinces is not None
        ]
        notes += [
            f"{name} = {re.sub('[{}]', '', catalogue()[name].sql)}" for name in self.shown if name not in self._bases
        ]
        texts = (readable(sql, self._parameters) for sql in selects)
        return ";\n\n".join(texts) + "".join(f"\n-- {note}" for note in notes)

    @cached_property
    def _readings(self) -> list[Reading]:
        sources: dict[tuple[str, ...], TableScan | Stock] = {}
        for base in map(self._dated, self._bases.values()):
            if self._is_constant(base):
                continue
            source = self._stock(base) if self._is_in_stock(base) else self._source(base)
            sources.setdefault(source.signature, source).columns[base.name] = base
        readings = self._read_both(sources)
        for signature, source in sources.items():
            if signature not in readings:
                readings[signature] = self._read_stock(source) if isinstance(source, Stock) else source.reading()
        if readings and all(reading.is_side for reading in readings.values()):
            lacking = [name for name in self.by if any(name not in one.dimensions for one in readings.values())]
            if lacking:
                raise QuestionError(f"{self.metrics[0].name} has no meaning by {lacking[0]}")
        return [readings[signature] for signature in sources]

    def _always(self) -> dict[Key, dict[str, Any]]:
        """Every province, and every unit of time counted over, has a row; of other dimensions only the members met."""
        if not self.by:
            return {(): {}}
        if self.by == ("province",):
            columns = {name: base.constant for name, base in self._bases.items() if self._is_constant(base)}
            facts = self._publication.provinces.facts(self._day_of_constants())
            chosen = self.where.get("province", facts)
            return {
                (province,): {name: told[column] for name, column in columns.items()}
                for province, told in facts.items()
                if province in chosen
            }
        if len(self.by) == 1 and self._unit:
            if all(metric.kind == "state" for metric in self.metrics):
                return {(label,): {} for label, _ in self._state_days()}
            return {(unit.label,): {} for unit in self._units}
        return {}

    def _is_constant(self, base: Measure) -> bool:
        """Whether a base is told with the provinces: nothing but a province narrows it."""
        if self._plain or not base.constant or self.by != ("province",):
            return False
        return base.whole or self.where.keys() - set(tables()[base.table].ignores) <= {"province"}

    def _day_of_constants(self) -> date:
        """The day on which residents are read; by province alone a question has one."""
        return self.on or self._publication.as_of


def _named_in(sql: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    return {name: parameters[name] for name in re.findall(r"\$(p[0-9]+)", sql)}


def readable(sql: str, parameters: Mapping[str, Any]) -> str:
    """The query with its values written in, to be read and pasted, not run from here."""

    def written(found: re.Match[str]) -> str:
        value = parameters[found[1]]
        if isinstance(value, date):
            return f"date '{value}'"
        if isinstance(value, list):
            return "[" + ", ".join("'" + str(one).replace("'", "''") + "'" for one in value) + "]"
        return "'" + str(value).replace("'", "''") + "'"

    return re.sub(r"\$(\w+)\b", written, sql)
