"""The data address: /data/answer.csv and its like give an answer to programs, /data/training/by_place.csv an exhibit of a page
(by_place.png its picture), /data/training.xlsx the workbook of a page, /data/ the data dictionary.

A person is known by a personal token, sent as HTTP Basic (user: own id) or Bearer, never in the address. Rights, `ask`,
writers and audit line are those of a download by hand. Without sign-in the address answers this machine only.
"""

import base64
import binascii
import hashlib
import logging
import threading
import time
import traceback
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar
from urllib.parse import parse_qsl

import anyio
from cachetools import TTLCache
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from etl.core import files
from etl.core.errors import AccessDenied, OtherVersion, QuestionError, Refused, TooEarly
from etl.operations import audit, programs
from etl.semantic import answers, exportable
from etl.semantic.answers import Answer
from etl.semantic.rights import ADMINISTRATOR, AccessScope
from ui.charts.elements import ChartContext
from ui.components import downloads, page_files
from ui.data import ask as asking
from ui.data import owed, page_run, stores, warehouse
from ui.data.ask import Rounded
from ui.data.worker_process import Ended
from ui.exhibits import register
from ui.exhibits.exhibit import Drawing, Exhibit
from ui.exhibits.named import Named
from ui.exports import about, dictionary, picture
from ui.exports.job import DATA_FORMS, FORMS, MANY_CELLS, ExportJob, Making, noted
from ui.exports.page_workbook import contents_of
from ui.exports.picture import PICTURE_FORMS
from ui.i18n import text
from ui.shell import data_question, people, refusals, threads
from ui.shell.data_question import DataQuestion, ExhibitQuestion, PageQuestion
from ui.shell.requests import PRIVATE, base_path, is_of_other_site, is_of_this_machine
from ui.state import page_context, periods, personal_tokens, questions
from ui.state.given import Given, Wrong
from ui.state.page_context import PageContext

FOLDER = "/data/"
_HEADERS = PRIVATE | {"Vary": "Authorization"}
_CHALLENGE = {"WWW-Authenticate": 'Basic realm="data", charset="UTF-8"'}
# Wrong tokens of a client that are answered in a minute, and how many clients are remembered.
MOST_GUESSES, _MINUTE, _MOST_CLIENTS = 30, 60.0, 1000
_BUSY_SECONDS = 2
_MEDIA = DATA_FORMS | PICTURE_FORMS
# Files of answers that are kept for requests of their parts.
_MOST_KEPT, _KEPT_SECONDS, _KEPT_BYTES = 16, 300.0, 256 << 20
_T = TypeVar("_T")
# By this name the JSON log keeps the text (ui.shell.logs).
_LOG = logging.getLogger("policeyar.data")
_guesses: dict[str, tuple[float, int]] = {}
_lock = threading.Lock()


@dataclass(frozen=True)
class _AnswerFile:
    """A file of an answer, the name and headers that it is sent by, and its fields of the audit log.

    It is removed when nothing refers to its owner any more.
    """

    form: str
    path: Path
    name: str
    owner: object
    headers: Mapping[str, str]
    audit_details: Mapping[str, str | int]

    def size(self) -> int:
        """The bytes that it counts for among the files that are kept."""
        return min(max(self.path.stat().st_size, _KEPT_BYTES // _MOST_KEPT), _KEPT_BYTES)


_kept: TTLCache[str, _AnswerFile] = TTLCache(_KEPT_BYTES, _KEPT_SECONDS, getsizeof=_AnswerFile.size)


class _Refused(Exception):
    """A request that is not answered: its status, a sentence, more headers."""

    def __init__(self, status: int, sentence: str, **headers: str) -> None:
        super().__init__(sentence)
        self.status, self.headers = status, {name.replace("_", "-"): value for name, value in headers.items()}


def routes() -> list[Route]:
    base = base_path() + FOLDER
    return [
        Route(path, partial(_respond, answer), methods=["GET", "HEAD"])
        for path, answer in (
            (f"{base}answer.{{form}}", _answer),
            (f"{base}{{page}}/claims.json", _claims),
            (f"{base}{{page}}/{{name}}.{{form}}", _exhibit),
            (base, _describe),
            (f"{base}dictionary.{{form}}", _describe),
            (f"{base}{{page}}.xlsx", _workbook),
            (f"{base}{{path:path}}", _nothing),
        )
    ]


# Makes the response that a question asks for.
_Make = Callable[[], Response]
_Handler = Callable[[Request, Given, AccessScope], Response | _Make]


async def _respond(handler: _Handler, request: Request) -> Response:
    """The response of a handler, or of what it gives to be made, or the status and sentence of what refuses it."""
    given: dict[str, list[str]] = {}
    for name, value in parse_qsl(request.url.query, keep_blank_values=True):
        given.setdefault(name, []).append(value)
    lang = data_question.language(given)

    def refused(status: int, key: str, **headers: str) -> _Refused:
        return _Refused(status, text.word(f"data.{key}", lang), **headers)

    try:
        if data_question.holds_token(given):
            raise refused(400, "in_address")
        asker = await threads.run(threads.QUESTIONS, partial(_asker, request, lang))
        response = await threads.run(
            threads.QUESTIONS, partial(_asked, request, given, asker, lang, partial(handler, request, given, asker))
        )
        if isinstance(response, Response):
            return response
        async with _turn(asker, lang):
            making = partial(_asked, request, given, asker, lang, response)
            return await threads.while_wanted(request.receive, threads.ANSWERS, making)
    except threads.Gone:
        # Nobody reads it.
        return Response(status_code=499, headers=_HEADERS)
    except OSError as error:
        # Nothing is sent unlogged.
        refusal = _Refused(503, stores.sentence(error, lang), Retry_After="60")
    except _Refused as error:
        refusal = error
    return PlainTextResponse(f"{refusal}\n", refusal.status, _HEADERS | refusal.headers)


def _asked(
    request: Request,
    given: Given,
    asker: AccessScope,
    lang: str,
    work: Callable[[], _T],
    gone: threading.Event | None = None,
) -> _T:
    """The result of `work`, which asks questions for somebody until the client is gone. Raises _Refused, OSError."""
    try:
        with (
            page_run.acting_as(asker),
            page_run.reading(_file(given, lang)),
            page_run.while_wanted(gone, is_of_program=True),
        ):
            return work()
    except Wrong as wrong:
        raise _Refused(400, str(wrong)) from None
    except AccessDenied:
        _note_attempt(request, asker)
        raise _Refused(403, text.word("data.denied", lang)) from None
    except TooEarly:
        raise _Refused(400, text.word("state.too_early", lang)) from None
    except QuestionError as error:
        raise _Refused(400, str(error)) from None
    except Ended:
        raise _Refused(413, text.word("data.too_large", lang)) from None
    except (page_run.Unpublished, Refused):
        raise _Refused(503, text.word("data.unpublished", lang), Retry_After="300") from None
    except (OSError, _Refused):
        raise
    except Exception as failed:
        # A message may hold data.
        _LOG.error(f"data address: {type(failed).__name__}")
        _LOG.debug("%s", traceback.format_exc())
        raise _Refused(500, text.word("data.failed", lang)) from None


@asynccontextmanager
async def _turn(asker: AccessScope, lang: str) -> AsyncIterator[None]:
    """The turn of a person, of whom one answer is made at a time. Raises _Refused."""
    who = asker.sub
    if not await threads.run(threads.QUESTIONS, lambda: people.turns().begin(who, time.time())):
        raise _Refused(429, text.word("data.running", lang), Retry_After=str(_BUSY_SECONDS))
    try:
        yield
    finally:
        with anyio.CancelScope(shield=True):
            await threads.run(threads.QUESTIONS, lambda: people.turns().end(who))


def _note_attempt(request: Request, scope: AccessScope) -> None:
    """Record in the audit log that somebody asked for what is outside of the rights."""
    if people.mode() != "open":
        why = {"why": "outside of the rights", "page": "data address"} | audit.rights(scope) | people.client(request)
        audit.record(people.audit_folder(), scope.sub, "refused", **why)


def _file(given: Given, lang: str) -> str:
    """The file of the publication that a request pins, else of the latest one. Raises _Refused, Wrong, Unpublished."""
    if not (pinned := data_question.publication(given)):
        return page_run.current_file()
    if not (file := page_run.kept_file(pinned)):
        raise _Refused(410, text.word("data.gone", lang, id=pinned))
    try:
        page_run.connection(file)
    except OtherVersion:
        raise _Refused(410, text.word("data.gone", lang, id=pinned)) from None
    return file


# ---------------------------------------------------------------- who asks


def _asker(request: Request, lang: str) -> AccessScope:
    credential = _credential(request)
    # Without a token the browser of a reader asks, and another site may not make it.
    if credential is None and is_of_other_site(request.headers):
        raise _Refused(403, text.word("data.other_site", lang))
    if people.mode() == "open":
        if not is_of_this_machine(request):
            raise _Refused(403, text.word("data.this_machine", lang))
        return ADMINISTRATOR
    token = None
    if credential is None and (person := request.scope.get("person")):
        # A signed-in person may look things up in the browser.
        scope = people.scope_of(person)
    else:
        sub, secret = credential or (None, "")
        token = personal_tokens.store().holder(secret, sub, time.time()) if credential else None
        if token is None and credential is None and request.headers.get("sec-fetch-site") == "same-origin":
            # A link of a page that is still open; a browser would ask for a token here.
            raise _Refused(401, f"{text.word('sign_in.lost_title', lang)}. {text.word('sign_in.lost', lang)}")
        if token is None:
            raise _unknown_token(request, credential is not None, lang)
        scope = people.table().scope_of(token.sub, token.groups)
    if wait := people.turns().count(scope.sub, time.time()):
        raise _Refused(429, text.word("data.too_many", lang), Retry_After=str(int(wait) + 1))
    if token:
        personal_tokens.store().note_use(token.digest, time.time())
    if not any(grant.may_export for grant in scope.grants):
        raise _Refused(403, text.word("data.denied", lang))
    return scope


def _credential(request: Request) -> tuple[str | None, str] | None:
    """User (None: not named) and token of the header; None without one, and for one that is none of both schemes."""
    scheme, _, written = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return None, written.strip()
    if scheme.lower() != "basic":
        return None
    try:
        sub, _, secret = base64.b64decode(written.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return sub, secret


def _unknown_token(request: Request, is_guess: bool, lang: str) -> _Refused:
    """The refusal of a request without a valid token; wrong ones are counted for each client."""
    if is_guess:
        client = people.client_address(request)
        with _lock:
            since, times = _guesses.pop(client, (0.0, 0))
            is_new = time.monotonic() - since > _MINUTE or not times
            _guesses[client] = (time.monotonic(), 1) if is_new else (since, times + 1)
            while len(_guesses) > _MOST_CLIENTS:
                del _guesses[next(iter(_guesses))]
        refusals.note(refusals.UNKNOWN, "wrong token", people.client(request), status=401)
        if not is_new and times >= MOST_GUESSES:
            return _Refused(429, text.word("data.too_many", lang), Retry_After=str(int(_MINUTE)))
    return _Refused(401, text.word("data.who", lang), **_CHALLENGE)


# ---------------------------------------------------------------- answers


def _describe(request: Request, given: Given, asker: AccessScope) -> Response:
    form = request.path_params.get("form", "json")
    headers = _HEADERS | {"ETag": _tag(form, "dictionary")}
    if _is_known(request, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    if form == "json":
        return JSONResponse(dictionary.content(), headers=headers)
    if form not in ("csv", "xlsx"):
        return _nothing(request, given, asker)
    content = dictionary.as_csv() if form == "csv" else dictionary.as_xlsx()
    return Response(content, media_type=FORMS[form], headers=headers)


def _nothing(request: Request, given: Given, asker: AccessScope) -> Response:
    page = request.path_params.get("page", "training")
    exhibits = [f"/data/{address}.csv" for address in register.exhibits() if address.startswith(f"{page}/")]
    exhibits += [f"/data/{page}.xlsx"] if exhibits else []
    answers = [f"/data/answer.{form}" for form in DATA_FORMS]
    known = ["/data/", *answers, *exhibits, "/data/dictionary.csv", "/data/dictionary.xlsx"]
    raise _Refused(404, text.word("data.unknown", data_question.language(given), known=" ".join(known)))


def _answer(request: Request, given: Given, asker: AccessScope) -> Response | _Make:
    form = request.path_params["form"]
    if form not in DATA_FORMS:
        return _nothing(request, given, asker)
    question = data_question.read(given)
    return _kept_or_made(request, asker, form, question)


def _exhibit(request: Request, given: Given, asker: AccessScope) -> Response | _Make:
    form, address = request.path_params["form"], f"{request.path_params['page']}/{request.path_params['name']}"
    question = data_question.read_exhibit(given, address) if form in _MEDIA else None
    if question and form in PICTURE_FORMS and not programs.browser():
        raise _Refused(501, text.word("data.no_browser", question.view.lang))
    return _kept_or_made(request, asker, form, question) if question else _nothing(request, given, asker)


def _claims(request: Request, given: Given, asker: AccessScope) -> Response | _Make:
    """What the sentences and titles of a page claim, in its order."""
    question = data_question.read_page(given, request.path_params["page"])
    return partial(_claims_sent, request, asker, question) if question else _nothing(request, given, asker)


def _claims_sent(request: Request, asker: AccessScope, question: PageQuestion) -> Response:
    found = []
    for named, exhibit in _on_page(question):
        if exhibit.answer is None or answers.may_leave(asker, exhibit.answer):
            found += [
                {"exhibit": named.name, "sentence": said.words, "claims": [one.record() for one in said.claims]}
                for said in exhibit.stated
            ]
    if request.method == "GET" and people.mode() != "open":
        details = {"why": "data address", "page": question.page, "form": "claims"}
        audit.record(
            people.audit_folder(), asker.sub, "export", **details | audit.rights(asker), **people.client(request)
        )
    return JSONResponse(found, headers=_HEADERS)


def _on_page(question: PageQuestion) -> Iterator[tuple[Named, Exhibit]]:
    """What stands on a page, without what is refused."""
    view, ask, page = question.view, warehouse.of_page(), register.pages()[question.page]
    shown = Rounded(ask) if question.circulation else ask
    for named in page.shown(view.asked, ask, dict(question.said)):
        with suppress(AccessDenied, QuestionError):
            yield from ((named, exhibit) for exhibit in named.exhibits(shown))


def _workbook(request: Request, given: Given, asker: AccessScope) -> Response | _Make:
    """The workbook of a page, made without drawing it."""
    question = data_question.read_page(given, request.path_params["page"])
    if question is None:
        return _nothing(request, given, asker)
    tag = _tag("xlsx", question, people.rights_of(asker))
    if _is_known(request, tag):
        return Response(status_code=304, headers=_HEADERS | {"ETag": tag})
    return partial(_workbook_sent, request, asker, question, tag)


def _workbook_sent(request: Request, asker: AccessScope, question: PageQuestion, tag: str) -> Response:
    view, page = question.view, register.pages()[question.page]
    contents = contents_of(page, view.asked, warehouse.of_page(), dict(question.said), question.circulation)
    if contents.is_empty:
        if contents.left_out:
            raise AccessDenied
        raise Wrong(text.word("book.nothing", view.lang))
    job = page_files.job_of(view, question.page, contents, question.circulation, {})
    job.check()
    making = Making(job)
    making.process.result(page_run.gone())
    details = page_files.details(job, contents) | {"page": question.page}
    name, headers = page_files.file_name(view, job), _HEADERS | {"ETag": tag}
    return _sent(request, asker, _AnswerFile("xlsx", making.path, name, making, headers, details))


def _kept_or_made(
    request: Request, asker: AccessScope, form: str, question: DataQuestion | ExhibitQuestion
) -> Response | _Make:
    tag = _tag(form, question, people.rights_of(asker))
    if _is_known(request, tag):
        return Response(status_code=304, headers=_HEADERS | {"ETag": tag})
    with _lock:
        file = _kept.get(tag)
    return _sent(request, asker, file) if file else partial(_made_and_sent, request, asker, form, question, tag)


@dataclass(frozen=True)
class _Found:
    """What is behind a question, and the names in it; of an exhibit also that."""

    source: Answer | exportable.StoredRows
    context: ChartContext
    exhibit: Exhibit | None = None


def _asked_of(question: DataQuestion | ExhibitQuestion) -> _Found:
    """What is behind a question. Raises Wrong for an exhibit that has nothing to show."""
    view, ask = question.view, warehouse.of_page()
    if isinstance(question, DataQuestion):
        found = questions.free(view.asked, ask, question.names, question.by, is_settled=False, calc=question.calc)
        return _Found(found, ChartContext(view.lang, names=asking.names(ask, view.lang)))
    exhibit = question.named.exhibit(Rounded(ask) if question.circulation else ask)
    if exhibit.answer is None:
        raise Wrong(exhibit.said(view.lang))
    return _Found(exhibit.answer, exhibit.context(), exhibit)


def _made_and_sent(
    request: Request, asker: AccessScope, form: str, question: DataQuestion | ExhibitQuestion, tag: str
) -> Response:
    found = _asked_of(question)
    answer = exportable.of(found.source).answer
    answers.check(asker.rights(), answer)
    if not answers.may_leave(asker, answer):
        raise AccessDenied
    headers = _HEADERS | {"ETag": tag} | _about(answer, question)
    # A part of a Parquet file can only be asked for where its length is known.
    if request.method == "HEAD" and form != "parquet":
        return Response(media_type=_MEDIA[form], headers=headers)
    file = _made(form, found, question, headers)
    with _lock:
        _kept[tag] = file
    return _sent(request, asker, file)


def _sent(request: Request, asker: AccessScope, file: _AnswerFile) -> Response:
    """The response with a file, after its line in the audit log."""
    if request.method == "GET" and people.mode() != "open":
        details = {**file.audit_details} | audit.rights(asker) | {"why": "data address"}
        audit.record(people.audit_folder(), asker.sub, "export", **details, **people.client(request))
    response = FileResponse(file.path, filename=file.name, media_type=_MEDIA[file.form], headers=file.headers)
    # It is there until it is sent, even if others take its place.
    response.file = file  # type: ignore[attr-defined]
    return response


def _about(answer: Answer, question: DataQuestion | ExhibitQuestion) -> dict[str, str]:
    """What no column holds: the day and the period of the numbers, the counties in which newer ones are counted, and the
    provinces left out for lack of rights."""
    said = {
        "Answer-On": answer.on.isoformat() if answer.on else "",
        "Answer-Period": periods.written(*answer.over) if answer.over else "",
        "Answer-Counted-In": ", ".join(getattr(question, "counted_in", ())),
        "Answer-Left-Out": ", ".join(sorted(answer.left_out)),
    }
    return {name: value for name, value in said.items() if value}


def _made(form: str, found: _Found, question: DataQuestion | ExhibitQuestion, headers: dict[str, str]) -> _AnswerFile:
    """A file of the answer; a large one, and a picture, is made by a worker process. Raises Ended, Wrong without a picture."""
    source, context, view = found.source, found.context, question.view
    answer, rows = exportable.of(source).answer, exportable.of(source).count()
    place = page_context.place(view, answer.where)
    limit = found.exhibit.limit if found.exhibit else ""
    name = about.file_name(source, context, place, form, question.circulation, limit)
    details = noted(answer, form, rows, question.circulation)
    if form in PICTURE_FORMS:
        making = Making(_drawing(form, found.exhibit, view), picture.PICTURE_SECONDS)
    else:
        job = ExportJob(form, source, context, question.circulation, place, limit)
        if rows * len(answer.columns) <= MANY_CELLS[form]:
            out = files.temporary("answer-")
            job.write(out)
            out.flush()
            return _AnswerFile(form, Path(out.name), name, out, headers, details)
        making = Making(job)
    making.process.result(page_run.gone())
    return _AnswerFile(form, making.path, name, making, headers, details)


def _drawing(form: str, exhibit: Exhibit | None, view: PageContext) -> picture.PictureJob:
    """The job that draws an exhibit as its picture on screen. Raises Wrong for one without a chart."""
    if exhibit is None or not isinstance(exhibit.form, Drawing):
        raise Wrong(text.word("data.no_picture", view.lang))
    on_paper = downloads.on_paper(downloads.picture_of(view, exhibit), exhibit.context())
    return picture.job_of(on_paper, form, view.lang)


def _tag(form: str, *parts: object) -> str:
    """The entity tag of what these parts and the publication decide, the same on every host."""
    published = page_run.publication()
    of_publication = (published.id, published.as_of, published.built_on, published.rows_loaded)
    lines = [owed.lines(lang, published) for lang in text.LANGUAGES]
    notes = [note.number for note in warehouse.of_page().notes]
    return f'"{hashlib.sha256(repr((form, parts, of_publication, lines, notes)).encode()).hexdigest()[:32]}"'


def _is_known(request: Request, tag: str) -> bool:
    """Whether a program has this very answer. `*` names none: an answer is not passed over before its rights are checked."""
    return tag in {one.strip().removeprefix("W/") for one in request.headers.get("if-none-match", "").split(",")}
