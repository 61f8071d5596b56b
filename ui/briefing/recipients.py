"""Who gets which books: recipients.toml, and the last message to each.

    [[recipient]]
    name = "office"            a unique name
    folder = "/srv/policeyar"  where the books go
    places = ["IR", "IR-11"]   IR is the nation
    lang = "fa"                fa unless given
    mail = "office@example"    used only with [smtp]

    [smtp]                     off unless given
    host = "127.0.0.1"
    port = 25
    sender = "dashboard@example"

A book goes out where something newly needs action: an item that was not there at the last publication, or more of it. The
first run takes note and writes nothing; the same publication writes nothing again.
"""

import json
import re
import smtplib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from etl.core.errors import Refused
from ui.briefing import writing
from ui.briefing.writer import NoData, refuse_empty
from ui.briefing.writing import Press
from ui.exhibits import needs_action
from ui.exhibits.exhibit import Action
from ui.i18n import member_names, text
from ui.state.scope import NATION

_MAIL_SECONDS = 60
_MAIL = re.compile(r"[!-~]+@[!-~]+")
_PLACES = frozenset({NATION, *member_names.fixed("province", "en")})


@dataclass(frozen=True)
class Recipient:
    name: str
    folder: Path
    places: tuple[str, ...]
    lang: str
    mail: str


@dataclass(frozen=True)
class Smtp:
    """A mail server that takes messages without a password: this machine's own, or one in the same network."""

    host: str
    port: int
    sender: str


@dataclass(frozen=True)
class Outcome:
    """The result for one recipient: the files, or why there are none."""

    name: str
    files: tuple[Path, ...] = ()
    fault: str = ""


def read(path: Path) -> tuple[list[Recipient], Smtp | None]:
    """The recipients, and the mail server if one is given. Raises Refused with the file and what is wrong."""
    try:
        settings = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise Refused(f"{path}: {error.strerror}") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise Refused(f"{path}: is not TOML ({error})") from None
    if unknown := settings.keys() - {"recipient", "smtp"}:
        raise Refused(f"{path}: {min(unknown)} is unknown")
    tables = settings.get("recipient", [])
    if not isinstance(tables, list) or not tables:
        raise Refused(f"{path}: names no [[recipient]]")
    recipients = [_recipient(path, number, table) for number, table in enumerate(tables, 1)]
    if len({recipient.name for recipient in recipients}) < len(recipients):
        raise Refused(f"{path}: two recipients have the same name")
    return recipients, _smtp(path, settings["smtp"]) if "smtp" in settings else None


def _recipient(path: Path, number: int, table: Any) -> Recipient:
    where = f"{path}: recipient {number}"
    if not isinstance(table, dict):
        raise Refused(f"{where}: write [[recipient]]")
    if unknown := table.keys() - {"name", "folder", "places", "lang", "mail"}:
        raise Refused(f"{where}: {min(unknown)} is unknown")
    for key in ("name", "folder"):
        if not isinstance(table.get(key), str) or not table[key].strip():
            raise Refused(f"{where}: {key} is missing")
        if not table[key].isprintable():
            raise Refused(f"{where}: {key} holds a line break or another control character")
    places = table.get("places", [NATION])
    if not isinstance(places, list) or not places or not all(isinstance(place, str) for place in places):
        raise Refused(f"{where}: places is a list of codes")
    if wrong := [place for place in places if place not in _PLACES]:
        raise Refused(f"{where}: {wrong[0]!r} is no province and not {NATION}")
    lang, mail = table.get("lang", "fa"), table.get("mail", "")
    if lang not in text.LANGUAGES:
        raise Refused(f"{where}: lang is fa or en")
    if not isinstance(mail, str) or (mail and not _MAIL.fullmatch(mail)):
        raise Refused(f"{where}: mail is no address")
    return Recipient(table["name"].strip(), Path(table["folder"]), tuple(dict.fromkeys(places)), lang, mail)


def _smtp(path: Path, table: Any) -> Smtp:
    kinds = {"host": str, "port": int, "sender": str}
    if not isinstance(table, dict) or table.keys() != kinds.keys():
        raise Refused(f"{path}: [smtp] holds host, port and sender")
    if wrong := [key for key, kind in kinds.items() if not isinstance(table[key], kind)]:
        raise Refused(f"{path}: smtp.{wrong[0]} is wrong")
    return Smtp(**table)


def send_changed(press: Press, path: Path) -> list[Outcome]:
    """Write the briefings with newly needed actions for each recipient. A failure of one does not stop the others.

    Raises Refused if recipients.toml or the stored state cannot be read.
    """
    recipients, smtp = read(path)
    states = _stored_states()
    # The state is kept by file and recipient: another file may use the same names.
    outcomes = []
    for recipient in recipients:
        key = f"{path.absolute()}\n{recipient.name}"
        try:
            files, state = _send(press, recipient, states.get(key), smtp)
        except Refused as error:
            outcomes.append(Outcome(recipient.name, fault=str(error)))
            continue
        states[key] = state
        writing.save(_state(), json.dumps(states, ensure_ascii=False, indent=1).encode())
        outcomes.append(Outcome(recipient.name, tuple(files)))
    return outcomes


def _send(
    press: Press, recipient: Recipient, before: Mapping[str, Any] | None, smtp: Smtp | None
) -> tuple[list[Path], dict[str, Any]]:
    publication = press.writer(NATION, recipient.lang).ask.publication.id
    if before is not None and before["publication"] == publication:
        return [], dict(before)
    counts: dict[str, dict[str, float]] = {}
    files: list[Path] = []
    lines: list[str] = []
    for place in recipient.places:
        write = press.writer(place, recipient.lang)
        try:
            refuse_empty(write.scope, write.ask)
        except NoData:
            continue
        with writing.made_for(place):
            # Later ones too: one that moves up among the first is not new.
            actions = needs_action.actions(write.scope, write.ask)
        counts[place] = {action.code: action.count for action in actions}
        if before is None:
            continue
        # A place that is new to the recipient is treated like the first run.
        earlier = before["places"].get(place, counts[place])
        newly = [action for action in actions if action.count > earlier.get(action.code, 0)]
        if newly:
            to = recipient.folder / writing.file_name(write.scope, write.is_exact)
            press.write(press.writer(place, recipient.lang), to)
            files.append(to)
            lines += [writing.place_name(place, recipient.lang), *(f"  {_line(action)}" for action in newly)]
    if files:
        listed = recipient.folder / f"new-{publication}-{recipient.lang}.txt"
        writing.save(listed, ("\n".join(lines) + "\n").encode())
        if smtp and recipient.mail:
            _mail(smtp, recipient, files, "\n".join(lines) + "\n")
        files.append(listed)
    return files, {"publication": publication, "places": counts}


def _line(action: Action) -> str:
    return " · ".join(filter(None, (action.sentence, action.about)))


def _mail(smtp: Smtp, recipient: Recipient, files: list[Path], words: str) -> None:
    message = EmailMessage()
    message["Subject"] = text.word("briefing.title", recipient.lang)
    message["From"], message["To"] = smtp.sender, recipient.mail
    message.set_content(words)
    for file in files:
        message.add_attachment(file.read_bytes(), maintype="application", subtype="pdf", filename=file.name)
    try:
        with smtplib.SMTP(smtp.host, smtp.port, timeout=_MAIL_SECONDS) as server:
            server.send_message(message)
    except (OSError, smtplib.SMTPException) as error:
        raise Refused(f"mail to {recipient.name} was not taken ({type(error).__name__})") from None


def _stored_states() -> dict[str, Any]:
    try:
        states = json.loads(_state().read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise Refused(f"{_state()}: cannot be read ({type(error).__name__})") from None
    if not isinstance(states, dict):
        raise Refused(f"{_state()}: cannot be read")
    return states


def _state() -> Path:
    return writing.folder() / "recipients.json"
