"""Mail of news: one message for a person and a publication, that waits in the outbox until a server has taken it, once.

What it may say is a setting: `link` says how many news there are and no number and no place, `rounded` what may circulate,
`exact` all of it. Without a server the messages are files of a folder.
"""

import hashlib
import smtplib
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from email import policy
from email.message import EmailMessage
from email.utils import formatdate
from pathlib import Path
from typing import Any

from etl.analysis.transitions import State, Told
from etl.core import settings
from etl.core.files import replacing
from ui.access.follows import Follows, Mail, News, Subscriber
from ui.data.ask import Ask, Rounded
from ui.follow import words
from ui.follow.evaluate import evaluated
from ui.follow.follow import Follow
from ui.follow.telling import Receiver, Telling
from ui.i18n import text

MOST_LINES = 20
SMTP_SECONDS = 60
LINK, ROUNDED, EXACT = "link", "rounded", "exact"
# The PDF of a place, for circulation or exact.
Paper = Callable[[str, str, bool], bytes]


def is_allowed(address: str, domains: Sequence[str]) -> bool:
    """Whether mail goes to an address: one of the domains of the settings, and nothing that a header could be broken with."""
    name, at, domain = address.rpartition("@")
    plain = address.isascii() and address.isprintable() and not {*address} & {*' ,;:<>()[]\\"'}
    return bool(name and at and plain and domain.lower() in domains)


def message_of(
    receiver: Receiver, telling: Telling, rules: settings.Mail, paper: Paper | None = None, now: float | None = None
) -> Mail | None:
    """The message of a publication to a person; None without news for mail, or without an address that may have it."""
    person, follows = receiver.person, telling.follows
    news = [one for one in telling.news if follows[one.follow].by_mail]
    if not news or not is_allowed(person.mail, rules.domains):
        return None
    publication, lang = receiver.ask.publication.id, person.lang
    now = time.time() if now is None else now
    ident = hashlib.sha256(f"{person.sub}\n{publication}".encode()).hexdigest()[:32]
    message = EmailMessage(policy=policy.SMTP)
    count = text.number(len(news), lang)
    message["Subject"] = text.word("follow.subject", lang, count=count, id=text.digits(publication, lang))
    message["From"], message["To"] = rules.sender, person.mail
    message["Date"], message["Message-ID"] = formatdate(now), f"<{ident}@{rules.sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content("\n".join((*_lines(receiver, news, follows, rules), *_link(rules, lang))) + "\n")
    if rules.says != LINK and paper:
        # A paper of each place that was asked for, once.
        for place in dict.fromkeys(
            follows[one.follow].province or "IR" for one in news if follows[one.follow].attaches
        ):
            message.add_attachment(
                paper(place, lang, rules.says == EXACT),
                maintype="application",
                subtype="pdf",
                filename=f"briefing-{place}-{publication}.pdf",
            )
    return Mail(str(message["Message-ID"]), person.sub, publication, message.as_string(), now)


def _lines(receiver: Receiver, news: Sequence[News], follows: dict[str, Follow], rules: settings.Mail) -> Iterator[str]:
    lang = receiver.person.lang
    if rules.says == LINK:
        id_ = text.digits(receiver.ask.publication.id, lang)
        yield text.word("follow.subject", lang, count=text.number(len(news), lang), id=id_)
        return
    told = list(news if rules.says == EXACT else _rounded(receiver.ask, news, follows))
    for one in told[:MOST_LINES]:
        yield words.line(one, follows[one.follow], lang)
    if more := len(news) - len(told[:MOST_LINES]):
        yield text.word("follow.more", lang, count=text.number(more, lang))


def _rounded(ask: Ask, news: Iterable[News], follows: dict[str, Follow]) -> Iterator[News]:
    """The news that the published counts tell too, with their numbers of now; the others are only counted."""
    asked = Rounded(ask.exactly)
    for one in news:
        follow = follows[one.follow]
        if one.now_value is None:
            yield replace(one, before_value=None, before_day="")
            continue
        found = evaluated(follow, asked).get(one.member)
        wanted = State.HOLDS if one.told == Told.BEGAN else State.DOES_NOT_HOLD
        if found and found.state is wanted:
            yield replace(one, before_value=None, now_value=found.value)


def _link(rules: settings.Mail, lang: str) -> Iterator[str]:
    if rules.address:
        yield ""
        yield text.word(
            "follow.see", lang, address=f"{rules.address.rstrip('/')}/?news=1{'&lang=en' if lang == 'en' else ''}"
        )


def send(store: Follows, rules: settings.Mail) -> list[str]:
    """Send what waits in the outbox; returns a line for each message that still waits, without an account or an address.

    A message whose server went away while it was taken is sent again, under the same Message-ID: whoever has it knows it by that.
    """
    faults = []
    for mail in store.unsent():
        try:
            if rules.server:
                _send(mail, rules)
            else:
                _write(mail, rules.outbox)
        except smtplib.SMTPRecipientsRefused:
            faults.append(f"mail of {mail.publication}: its receiver was refused")
            continue
        except (OSError, smtplib.SMTPException) as error:
            # The others would wait as long.
            return [*faults, f"mail of {mail.publication} waits: {type(error).__name__}"]
        store.note_sent(mail.message_id, time.time())
    return faults


def _send(mail: Mail, rules: settings.Mail) -> None:
    message: Any = _message(mail)
    with smtplib.SMTP(rules.server, rules.port, timeout=SMTP_SECONDS) as server:
        with suppress(smtplib.SMTPServerDisconnected):
            server.ehlo()
        if server.has_extn("starttls"):
            server.starttls()
        server.send_message(message)


def _write(mail: Mail, folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    name = mail.message_id.strip("<>").partition("@")[0]
    with replacing(folder / f"{mail.publication}-{name}.eml") as waiting:
        waiting.write_bytes(mail.content.encode())


def _message(mail: Mail) -> EmailMessage:
    from email import message_from_string

    return message_from_string(mail.content, EmailMessage, policy=policy.SMTP)


def address_of(person: Subscriber, domains: Sequence[str]) -> str:
    """The address of a person if mail may go there."""
    return person.mail if is_allowed(person.mail, domains) else ""
