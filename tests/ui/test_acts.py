"""Who acts is asked when they act: what a button, a box or a form calls is `acts.take`, or changes only what is shown.

Here the source is read; tests/submissions/test_acts.py presses each act as somebody else.
"""

import ast
import json
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from etl.core.paths import ROOT
from ui.shell import people

# What changes nothing that is kept, by module. Whoever adds a line here says that nobody's rights matter to it.
SHOWN = {
    "ui/components/blocks.py": {"lambda: chosen(st.session_state[key])"},
    "ui/components/breadcrumb.py": {"go"},
    "ui/components/day_field.py": {"picked", "typed"},
    # A file that is begun is given after the rights were asked again, in the run that follows.
    "ui/components/downloads.py": {"_begin", "_forget"},
    "ui/components/figures.py": {"page_context.toggle"},
    "ui/components/filter_bar.py": {"changed", "narrowed", "page_context.reset"},
    "ui/components/footer.py": {"st.session_state.update"},
    # What the browser has drawn, for the workbook of the page.
    "ui/components/page_files.py": {"received"},
    "ui/components/news.py": {"st.session_state.update"},
    "ui/components/plot.py": {
        "(lambda: clicked(str(st.session_state[key]['click']))) if clicked else None",
        "copied",
    },
    "ui/components/tables.py": {
        "lambda page: store.write(replace(state, page=page))",
        "partial(_press, state_store, columns, start, key)",
        "st.session_state.update",
    },
    "ui/data/large_questions.py": {"_stopped"},
    "ui/sections/ahead.py": {"changed"},
    "ui/sections/compare.py": {"chosen"},
    "ui/sections/coverage.py": {"changed"},
    "ui/sections/explore.py": {"_take", "changed", "partial(_choose, name)"},
    "ui/sections/explore_rows.py": {"_calculate", "changed"},
    "ui/sections/goal.py": {"_choose", "changed"},
    "ui/sections/hand_in.py": {
        "lambda code: page_parameters.choose('handin', of=code, receipt=None)",
        "lambda label: page_parameters.choose(part, month=label, receipt=None)",
        # Files arrive at /hand-in: the page is drawn anew.
        "lambda: None",
    },
    "ui/sections/institute.py": {"changed"},
    "ui/sections/listings.py": {"changed"},
    "ui/sections/notes.py": {"_take", "lambda option: page_parameters.choose(PAGE, **{parameter: option})"},
    "ui/sections/revisions.py": {"_every_measure"},
    "ui/sections/scenario.py": {
        "choose",
        "lambda code: page_parameters.choose(page_context.part(), of=code or None)",
        "lambda: page_parameters.choose(page_context.part(), recruits=None, leave=None, seats=None)",
    },
    "ui/sections/sides.py": {"_keep", "choose"},
    "ui/shell/frame.py": {"lambda: page_context.open_part(by_name[st.session_state[key]])"},
}
# What only opens a dialog.
DIALOGS = {"ui/components/following.py": 1, "ui/components/news.py": 1}
# Pressed and answered in the same run, which asks for the rights; that of a token is an act.
IN_THE_RUN = {"ui/components/connect.py": 1, "ui/components/downloads.py": 2, **DIALOGS}
_WORDS_OF_STREAMLIT = ("ignore", "rerun")


@dataclass(frozen=True)
class Callback:
    """What a widget calls: its module and line, the name of it in the source, and how the key of the widget is written."""

    module: str
    line: int
    source: str
    key: str
    arguments: ast.AST | None

    @property
    def is_act(self) -> bool:
        return self.source == "acts.take" or self.source.startswith("lambda team: acts.take(")


def modules() -> Iterator[tuple[str, ast.AST]]:
    for path in sorted([*(ROOT / "ui").rglob("*.py"), *(ROOT / "pages").rglob("*.py"), ROOT / "dashboard.py"]):
        yield str(path.relative_to(ROOT)), ast.parse(path.read_text(encoding="utf-8"))


def calls(tree: ast.AST) -> Iterator[tuple[ast.Call, dict[str, ast.expr]]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield node, {word.arg: word.value for word in node.keywords if word.arg}


def callbacks() -> Iterator[Callback]:
    """What every widget of pages and sections calls."""
    for module, tree in modules():
        for node, words in calls(tree):
            called = [value for name, value in words.items() if name.startswith("on_")]
            key = words.get("key")
            if ast.unparse(node.func).rpartition(".")[2] == "controlled":
                key, called = node.args[2], [*called, *node.args[4:5]]
            for value in called:
                is_word = isinstance(value, ast.Constant) and value.value in _WORDS_OF_STREAMLIT
                # A flag of our own.
                if is_word or not isinstance(value, ast.Attribute | ast.Name | ast.Lambda | ast.Call | ast.IfExp):
                    continue
                source, written = ast.unparse(value), ast.unparse(key) if key else ""
                yield Callback(module, node.lineno, source, written, words.get("args"))


def test_every_callback_is_an_act_or_changes_only_what_is_shown() -> None:
    found = list(callbacks())
    assert sum(one.is_act for one in found) > 10
    others: dict[str, set[str]] = {}
    for one in found:
        if not one.is_act:
            others.setdefault(one.module, set()).add(one.source)
    assert others == SHOWN


def test_a_button_that_calls_nothing_is_answered_in_the_run_that_it_starts() -> None:
    found: dict[str, int] = {}
    for module, tree in modules():
        for node, words in calls(tree):
            is_button = ast.unparse(node.func).rpartition(".")[2] in ("button", "form_submit_button")
            found[module] = found.get(module, 0) + (is_button and "on_click" not in words)
    assert {module: count for module, count in found.items() if count} == IN_THE_RUN


def test_nothing_but_acts_asks_who_acts() -> None:
    found = {
        module
        for module, tree in modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and ast.unparse(node) in ("submissions.person", "page_run.access_scope_now")
    }
    assert found == {"ui/state/acts.py", "ui/data/submissions.py"}


@pytest.mark.parametrize("act", [one for one in callbacks() if one.is_act], ids=lambda one: f"{one.module}:{one.line}")
def test_an_act_gets_its_person_when_it_is_taken(act: Callback) -> None:
    """Neither its arguments nor what its lambdas hold is somebody: their only person is the parameter `who`."""
    held = act.arguments or ast.parse(act.source)
    names = {node.id for node in ast.walk(held) if isinstance(node, ast.Name)}
    given = {word.arg for node in ast.walk(held) if isinstance(node, ast.Lambda) for word in node.args.args}
    assert not {"reader", "who", "person", "scope"} & (names - given)


def test_a_socket_goes_on_with_the_session_of_its_own_person_alone() -> None:
    server = tomllib.loads(Path(ROOT, ".streamlit", "config.toml").read_text(encoding="utf-8"))["server"]
    assert json.loads(server["trustedUserHeaders"]) == {people.SESSION_HEADER: "session"}
