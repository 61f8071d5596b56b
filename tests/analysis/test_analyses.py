"""Analyses are registered by the names of their functions, and declare what they ask."""

import importlib
import inspect
import pkgutil
from datetime import date

import pytest

import etl.analysis
from etl.analysis import analyses
from etl.semantic.answers import Answer
from etl.semantic.catalog import catalogue, tables


def functions():
    """The public functions of the package that take (con, on, where) and return an Answer."""
    for info in pkgutil.iter_modules(etl.analysis.__path__):
        module = importlib.import_module(f"etl.analysis.{info.name}")
        for name, function in inspect.getmembers(module, inspect.isfunction):
            if function.__module__ == module.__name__ and not name.startswith("_"):
                signature = inspect.signature(function)
                if list(signature.parameters)[:3] == ["con", "on", "where"] and signature.return_annotation is Answer:
                    yield name, function


def test_every_function_with_the_signature_of_an_analysis_is_registered():
    assert dict(functions()) == {name: analysis.run for name, analysis in analyses.by_name().items()}


def test_what_an_analysis_asks_for_is_a_metric_or_a_table():
    for name, analysis in analyses.by_name().items():
        assert not set(analysis.asks) - catalogue().keys() - tables().keys(), name


def test_only_analyses_over_a_period_take_one():
    for name, analysis in analyses.by_name().items():
        assert ("over" in inspect.signature(analysis.run).parameters) == analysis.over_period, name


def test_a_name_is_registered_once():
    def pace(con, on: date | None = None, where=None) -> Answer:
        raise NotImplementedError

    analyses.by_name()
    with pytest.raises(ValueError, match="two analyses are called pace"):
        analyses.analysis(asks=())(pace)
