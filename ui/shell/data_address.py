"""The data address: /data/answer.csv and its like give an answer to programs, /data/training/by_place.csv an exhibit of a page
(by_place.png its picture), /data/training.xlsx the workbook of a page, /data/training.html the page as one file, /data/ the data
dictionary.

A person is known by a personal token, sent as HTTP Basic (user: own id) or Bearer, never in the address. Rights, `ask`,
writers and audit line are those of a download by hand. Without sign-in the address answers this machine only.
"""

import hashlib
import json
import logging
import threading
import time
import traceback
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar
from urllib.parse import parse_qsl, quote

import anyio
from cachetools import TTLCache
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from etl.core import files
from etl.core.errors import AccessDenied, OtherVersion, QuestionError, Refused, TooEarly
from etl.operations import audit, programs
from etl.semantic import answers, exportable
from etl.semantic.answers import Answer
from etl.semantic.rights import AccessScope
from ui.charts.elements import ChartContext
from ui.components import downloads, page_files
from ui.data import owed, page_run, warehouse
from ui.data.ask import Rounded
from ui.data.ask import names as names_of
from ui.data.worker_process import Ended
from ui.exhibits import register
from ui.exhibits.exhibit import Drawing, Exhibit
from ui.exhibits.named import Named
from ui.exports import about, dictionary, picture
from ui.exports.job import DATA_FORMS, FORMS, MANY_CELLS, ExportJob, Making, noted
from ui.exports.page_workbook import contents_of
from ui.exports.picture import PICTURE_FORMS
from ui.exports.plain_page import PlainPage
from ui.i18n import text
from ui.shell import asking, data_question, people, threads
from ui.shell.asking import Asker, Refusal
from ui.shell.data_question import DataQuestion, ExhibitQuestion, PageQuestion
from ui.shell.requests import PRIVATE, base_path
from ui.state import page_context, periods, questions
from ui.state.given import Given, Wrong
from ui.state.page_context import PageContext

FOLDER = "/data/"
_HEADERS = PRIVATE | {"Vary": "Authorization"}
_BUSY_SECONDS = 2
# How long a query waits for the one of the same person that is answered, and how often it looks.
PATIENT_SECONDS, _LOOK_AGAIN_SECONDS = 10.0, 0.2
_MEDIA = DATA_FORMS | PICTURE_FORMS
# Files of answers that are kept for requests of their parts.
_MOST_KEPT, _KEPT_SECONDS, _KEPT_BYTES = 16, 300.0, 256 << 20
_T = TypeVar("_T")
# By this name the JSON log keeps the text (ui.shell.logs).
_LOG = logging.getLogger("policeyar.data")
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
            (f"{base}{{page}}.html", _plain_page),
            (f"{base}{{path:path}}", _nothing),
        )
    ]


# Makes the response that a question asks for.
_Make = Callable[[], Response]
_Handler = Callable[[Request, Given, Asker], Response | _Make]


async def _respond(handler: _Handler, request: Request) -> Response:
    """The response of a handler, or of what it gives to be made."""
    given: dict[str, list[str]] = {}
    for name, value in parse_qsl(request.url.query, keep_blank_values=True):
        given.setdefault(name, []).append(value)
    lang = data_question.language(given)

    async def work(who: Asker) -> Response:
        asked = partial(_asked, given, who.scope, lang)
        response = await threads.run(threads.QUESTIONS, partial(asked, partial(handler, request, given, who)))
        if isinstance(response, Response):
            return response
        async with _turn(who.sub, lang):
            return await threads.while_wanted(request.receive, threads.ANSWERS, partial(asked, response))

    if data_question.holds_token(given):
        return PlainTextResponse(f"{text.word('data.in_address', lang)}\n", 400, _HEADERS)
    return await asking.answered(request, asking.FILE, work)


def _asked(
    given: Given,
    asker: AccessScope,
    lang: str,
    work: Callable[[], _T],
    gone: threading.Event | None = None,
) -> _T:
    """The result of `work`, which asks questions for somebody until the client is gone. Raises Refusal, OSError."""
    try:
        with (
            page_run.acting_as(asker),
            page_run.reading(_file(given, lang)),
            page_run.while_wanted(gone, is_of_program=True),
        ):
            return work()
    except Wrong as wrong:
        raise Refusal(400, str(wrong)) from None
    # Also a fault of a question, but no wrong one.
    except AccessDenied:
        raise
    except TooEarly:
        raise Refusal(400, text.word("state.too_early", lang)) from None
    except QuestionError as error:
        raise Refusal(400, str(error)) from None
    except Ended:
        raise Refusal(413, text.word("data.too_large", lang)) from None
    except Refused:
        raise page_run.Unpublished from None
    except (OSError, page_run.Unpublished, Refusal):
        raise
    except Exception as failed:
        # A message may hold data.
        _LOG.error(f"data address: {type(failed).__name__}")
        _LOG.debug("%s", traceback.format_exc())
        raise Refusal(500, text.word("data.failed", lang)) from None


@asynccontextmanager
async def _turn(sub: str, lang: str) -> AsyncIterator[None]:
    """The turn of a person, of whom one answer is made at a time; a program's next query waits for it. Raises Refusal."""
    until = time.monotonic() + PATIENT_SECONDS
    while not await threads.run(threads.QUESTIONS, lambda: people.turns().begin(sub, time.time())):
        if time.monotonic() > until:
            raise Refusal(429, text.word("data.running", lang), Retry_After=str(_BUSY_SECONDS))
        await anyio.sleep(_LOOK_AGAIN_SECONDS)
    try:
        yield
    finally:
        with anyio.CancelScope(shield=True):
            await threads.run(threads.QUESTIONS, lambda: people.turns().end(sub))


def _file(given: Given, lang: str) -> str:
    """The file of the publication that a request pins, else of the latest one. Raises Refusal, Wrong, Unpublished."""
    if not (pinned := data_question.publication(given)):
        return page_run.current_file()
    if not (file := page_run.kept_file(pinned)):
        raise Refusal(410, text.word("data.gone", lang, id=pinned))
    try:
        page_run.connection(file)
    except OtherVersion:
        raise Refusal(410, text.word("data.gone", lang, id=pinned)) from None
    return file


# ---------------------------------------------------------------- answers


def _describe(request: Request, given: Given, who: Asker) -> Response:
    form = request.path_params.get("form", "json")
    headers = _HEADERS | {"ETag": _tag(form, "dictionary")}
    if _is_known(request, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    if form == "json":
        return JSONResponse(dictionary.content(), headers=headers)
    if form not in ("csv", "xlsx"):
        return _nothing(request, given, who)
    content = dictionary.as_csv() if form == "csv" else dictionary.as_xlsx()
    return Response(content, media_type=FORMS[form], headers=headers)


def _nothing(request: Request, given: Given, who: Asker) -> Response:
    page = request.path_params.get("page", "training")
    exhibits = [f"/data/{address}.csv" for address in register.exhibits() if address.startswith(f"{page}/")]
    exhibits += [f"/data/{page}.xlsx", f"/data/{page}.html"] if exhibits else []
    answers = [f"/data/answer.{form}" for form in DATA_FORMS]
    known = ["/data/", *answers, *exhibits, "/data/dictionary.csv", "/data/dictionary.xlsx"]
    raise Refusal(404, text.word("data.unknown", data_question.language(given), known=" ".join(known)))


def _answer(request: Request, given: Given, who: Asker) -> Response | _Make:
    form = request.path_params["form"]
    if form not in DATA_FORMS:
        return _nothing(request, given, who)
    question = data_question.read(given)
    return _kept_or_made(request, who, form, question)


def _exhibit(request: Request, given: Given, who: Asker) -> Response | _Make:
    form, address = request.path_params["form"], f"{request.path_params['page']}/{request.path_params['name']}"
    question = data_question.read_exhibit(given, address) if form in _MEDIA else None
    if question and form in PICTURE_FORMS and not programs.browser():
        raise Refusal(501, text.word("data.no_browser", question.view.lang))
    return _kept_or_made(request, who, form, question) if question else _nothing(request, given, who)


def _claims(request: Request, given: Given, who: Asker) -> Response | _Make:
    """What the sentences and titles of a page claim, in its order."""
    question = data_question.read_page(given, request.path_params["page"])
    return partial(_claims_sent, request, who, question) if question else _nothing(request, given, who)


def _claims_sent(request: Request, who: Asker, question: PageQuestion) -> Response:
    found = []
    for named, exhibit in _on_page(question):
        if exhibit.answer is None or answers.may_leave(who.scope, exhibit.answer):
            found += [
                {"exhibit": named.name, "sentence": said.words, "claims": [one.record() for one in said.claims]}
                for said in exhibit.stated
            ]
    if request.method == "GET":
        details = {"why": "data address", "page": question.page, "form": "claims"}
        who.note("export", **details | audit.rights(who.scope))
    return JSONResponse(found, headers=_HEADERS)


def _on_page(question: PageQuestion) -> Iterator[tuple[Named, Exhibit]]:
    """What stands on a page, without what is refused."""
    view, ask, page = question.view, warehouse.of_page(), register.pages()[question.page]
    shown = Rounded(ask) if question.circulation else ask
    for named in page.shown(view.asked, ask, dict(question.said)):
        with suppress(AccessDenied, QuestionError):
            yield from ((named, exhibit) for exhibit in named.exhibits(shown))


def _plain_page(request: Request, given: Given, who: Asker) -> Response | _Make:
    """A page as one file without a script or an outside address."""
    question = data_question.read_page(given, request.path_params["page"])
    return partial(_plain_page_sent, request, who, question) if question else _nothing(request, given, who)


def _plain_page_sent(request: Request, who: Asker, question: PageQuestion) -> Response:
    view = question.view
    shown = tuple(
        (named, exhibit)
        for named, exhibit in _on_page(question)
        if exhibit.answer is None or answers.may_leave(who.scope, exhibit.answer)
    )
    drawn = _drawings_of(shown, view.lang) if request.method == "GET" else {}
    plain = PlainPage(question.page, view.asked, who.scope.rights(), page_run.publication(), shown, pictures=drawn)
    end, place = (view.as_of.isoformat(), plain.publication.id), page_context.place(view, view.where)
    name = about.named(ChartContext(view.lang), (plain.title,), place, end, "html", question.circulation)
    if request.method == "GET":
        who.note("export", why="data address", page=question.page, form="html", **audit.rights(who.scope))
    disposition = {"Content-Disposition": f"attachment; filename*=utf-8''{quote(name)}"}
    return HTMLResponse(plain.document(), headers=_HEADERS | disposition)


def _drawings_of(shown: Iterable[tuple[Named, Exhibit]], lang: str) -> dict[Named, str]:
    """The drawings of a page as SVG, which a worker process draws; none where this server has no browser."""
    drawings = {named: exhibit for named, exhibit in shown if isinstance(exhibit.form, Drawing) and exhibit.answer}
    if not drawings or not programs.browser():
        return {}
    figures = (downloads.on_paper(downloads.picture_within(one), one.context()) for one in drawings.values())
    job = picture.PicturesJob(tuple(map(picture.as_json, figures)), lang)
    making = Making(job, picture.PICTURE_SECONDS)
    try:
        making.process.result(page_run.gone())
        return dict(zip(drawings, json.loads(making.path.read_bytes()), strict=True))
    finally:
        making.stop()


def _workbook(request: Request, given: Given, who: Asker) -> Response | _Make:
    """The workbook of a page, made without drawing it."""
    question = data_question.read_page(given, request.path_params["page"])
    if question is None:
        return _nothing(request, given, who)
    tag = _tag("xlsx", question, people.rights_of(who.scope))
    if _is_known(request, tag):
        return Response(status_code=304, headers=_HEADERS | {"ETag": tag})
    return partial(_workbook_sent, request, who, question, tag)


def _workbook_sent(request: Request, who: Asker, question: PageQuestion, tag: str) -> Response:
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
    return _sent(request, who, _AnswerFile("xlsx", making.path, name, making, headers, details))


def _kept_or_made(
    request: Request, who: Asker, form: str, question: DataQuestion | ExhibitQuestion
) -> Response | _Make:
    tag = _tag(form, question, people.rights_of(who.scope))
    if _is_known(request, tag):
        return Response(status_code=304, headers=_HEADERS | {"ETag": tag})
    with _lock:
        file = _kept.get(tag)
    return _sent(request, who, file) if file else partial(_made_and_sent, request, who, form, question, tag)


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
        return _Found(found, ChartContext(view.lang, names=names_of(ask, view.lang)))
    exhibit = question.named.exhibit(Rounded(ask) if question.circulation else ask)
    if exhibit.answer is None:
        raise Wrong(exhibit.said(view.lang))
    return _Found(exhibit.answer, exhibit.context(), exhibit)


def _made_and_sent(
    request: Request, who: Asker, form: str, question: DataQuestion | ExhibitQuestion, tag: str
) -> Response:
    found = _asked_of(question)
    answer = exportable.of(found.source).answer
    answers.check(who.scope.rights(), answer)
    if not answers.may_leave(who.scope, answer):
        raise AccessDenied
    headers = _HEADERS | {"ETag": tag} | _about(answer, question)
    # A part of a Parquet file can only be asked for where its length is known.
    if request.method == "HEAD" and form != "parquet":
        return Response(media_type=_MEDIA[form], headers=headers)
    file = _made(form, found, question, headers)
    with _lock:
        _kept[tag] = file
    return _sent(request, who, file)


def _sent(request: Request, who: Asker, file: _AnswerFile) -> Response:
    """The response with a file, after its line in the audit log."""
    if request.method == "GET":
        who.note("export", **{**file.audit_details} | audit.rights(who.scope) | {"why": "data address"})
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
    limit, no_effect = (found.exhibit.limit, found.exhibit.no_effect) if found.exhibit else ("", "")
    name = about.file_name(source, context, place, form, question.circulation, limit)
    details = noted(answer, form, rows, question.circulation)
    if form in PICTURE_FORMS:
        making = Making(_drawing(form, found.exhibit, view), picture.PICTURE_SECONDS)
    else:
        job = ExportJob(form, source, context, question.circulation, place, limit, no_effect)
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
    asked = warehouse.of_page()
    aside = [note.number for note in asked.notes], sorted(asked.behind.items())
    return f'"{hashlib.sha256(repr((form, parts, of_publication, lines, aside)).encode()).hexdigest()[:32]}"'


def _is_known(request: Request, tag: str) -> bool:
    """Whether a program has this very answer. `*` names none: an answer is not passed over before its rights are checked."""
    return tag in {one.strip().removeprefix("W/") for one in request.headers.get("if-none-match", "").split(",")}
