"""python -m etl submissions and work: the same steps on the server, with their exit codes."""

from __future__ import annotations

import json
import os

import pytest

from tests.loading import called
from tests.submissions.conftest import LAST, Office, rows_alone
from tests.submissions.test_way import more_people, rows_published

pytestmark = pytest.mark.slow


def variables(office: Office) -> dict[str, str]:
    folders = office.settings.folders
    return {
        "SUBMISSIONS": str(folders.submissions),
        "INCOMING": str(folders.incoming),
        "WAREHOUSE": str(folders.warehouse),
        "AUDIT": str(folders.audit),
        "IDENTITY_KEY": os.environ["IDENTITY_KEY"],
    }


def test_a_submission_is_listed_shown_approved_and_published_by_commands(office):
    draft = office.desk.open(office.clerk, "IR-07", LAST)
    (name, content), *_ = more_people().items()
    office.give(office.clerk, draft.id, 1, name, content)
    environment = variables(office)
    assert called("submissions", "publish", **environment).returncode == 1
    with rows_alone():
        worked = called("work", **environment)
    assert (worked.returncode, worked.stdout) == (0, "")
    shown = json.loads(called("submissions", "show", draft.id, **environment).stdout)
    assert (shown["state"], shown["stops"], shown["tables"]["licences"]) == ("ready", [], "missing")
    office.desk.submit(office.clerk, draft.id)
    listed = called("submissions", "list", **environment).stdout.strip().split("\t")
    assert listed[:5] == [draft.id, "IR-07", LAST, "submitted", "fars.clerk"]
    returned = called("submissions", "return", draft.id, "--reason", "please look again", **environment)
    assert (returned.returncode, returned.stdout) == (0, f"{draft.id}\treturned\n")
    office.desk.records.change(draft.id, ("returned",), lambda one: one.but(state="submitted"))
    approved = called("submissions", "approve", draft.id, **environment)
    assert (approved.returncode, approved.stdout) == (0, f"{draft.id}\tapproved\n")
    assert "the one person of this machine" in approved.stderr
    refused = called("submissions", "publish", **environment)
    assert (refused.returncode, refused.stdout) == (1, ""), "what the page refuses"
    assert "IR-07 (institutes licences training), " in refused.stderr
    assert "without: " in refused.stderr
    assert called("submissions", "publish", "--without", "all", **environment).returncode == 1, "without a reason"
    named = ("--without", "IR-07", "--because", "it is late")
    assert "IR-07" not in called("submissions", "publish", *named, **environment).stderr.partition("\n")[0]
    with rows_alone():
        published = called("submissions", "publish", "--without", "all", "--because", "a test", **environment)
    assert published.returncode == 0, published.stderr
    assert published.stdout == "000002\n"
    assert rows_published(office, name) == 32
    undone = called("rollback", "--because", "the file was last year's", **environment)
    assert (undone.returncode, undone.stdout) == (0, "000001\n"), undone.stderr
    gone = office.desk.records.get(draft.id)
    assert (gone.state, gone.why) == ("returned", "the file was last year's")


def test_a_backup_says_whether_it_holds_what_was_submitted(office, tmp_path):
    environment = variables(office) | {"BACKUPS": str(tmp_path / "backups"), "VIEWS": str(tmp_path / "views")}
    assert "the archive holds no file of a submission" in called("backup", **environment).stderr
    draft = office.desk.open(office.clerk, "IR-07", LAST)
    office.give(office.clerk, draft.id, 1, "personnel.csv", "a")
    assert "files of submissions, with names and ids" in called("backup", **environment).stderr


def test_an_unknown_submission_is_refused_with_one_line(office):
    for words in (("show", "x"), ("approve", "x"), ("return", "x", "--reason", "y")):
        ended = called("submissions", *words, **variables(office))
        assert (ended.returncode, ended.stderr.count("\n")) == (1, 1)
        assert "there is no such submission" in ended.stderr
