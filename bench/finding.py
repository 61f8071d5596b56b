"""How long a few words take at the find address: what they lead to, with its number, beside one question of the country."""

import os
import sys
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.testclient import TestClient

from bench.register import Register
from bench.timing import Times, quantile, timed
from etl.semantic.rights import ADMINISTRATOR

_PHRASES = Path(__file__).parents[1] / "tests" / "find" / "phrases.tsv"


def run(made: Register) -> dict[str, Any]:
    """Milliseconds of the phrases of the tests, each once, and of a question on another day each time."""
    os.environ["WAREHOUSE"] = str(made.warehouse)
    # Imported here: they read WAREHOUSE when imported.
    from ui.data import page_run, warehouse
    from ui.find import results
    from ui.shell import asking, find_address

    phrases = [line.split("\t")[0] for line in _PHRASES.read_text(encoding="utf-8").splitlines()[1:]]
    found: list[float] = []
    asked: list[float] = []
    client = TestClient(Starlette(routes=find_address.routes()), client=("127.0.0.1", 5000))
    with page_run.acting_as(ADMINISTRATOR):
        # The first one makes the list of words.
        _, first = timed(lambda: results.find("0", "fa"))
        for number, phrase in enumerate(phrases):
            day = page_run.publication().as_of - timedelta(days=number + 1)
            asked.append(timed(partial(warehouse.ask, "training_compliance", on=day))[1])
            # More than a person may ask in a second.
            asking.SEARCHES.forget()
            answer, taken = timed(partial(client.get, "/find", params={"q": phrase, "lang": "fa"}))
            answer.raise_for_status()
            found.append(taken)
    ratio = round(quantile(found, 0.95) / quantile(asked, 0.95), 2)
    print(f"find: p95 x{ratio} of one question", file=sys.stderr)
    return {"find": vars(Times.of(found)), "ask": vars(Times.of(asked)), "first": round(first, 1), "ratio": ratio}
