"""Plain pages in both languages for users without a session or rights, made without Streamlit."""

from collections.abc import Callable

from etl.operations.roles import Roles
from ui import palette
from ui.i18n import text
from ui.shell.people import Person
from ui.shell.requests import base_path

_STYLE = palette.variables() + (
    ":root{color-scheme:light dark}"
    "body{font-family:Vazirmatn,Tahoma,sans-serif;max-width:36rem;margin:12vh auto;padding:0 1.5rem;color:var(--pd-text);"
    "background:var(--pd-surface);line-height:1.7}section{border-top:1px solid var(--pd-edge);padding:1rem 0}"
    "h1{font-size:1.3rem}a{color:var(--pd-link)}dt{font-weight:600}dd{margin:0 0 .5rem}"
)


def reason(refusal: str) -> str:
    """The key under `sign_in` of why somebody has to sign in: how a session ended, if there was one."""
    return refusal if refusal in ("expired", "idle", "ended", "early") else "needed"


def without_rights(person: Person, table: Roles) -> str:
    """Who the person is, which rights are missing, whom to ask."""

    def part(lang: str) -> str:
        groups = text.listed(person.groups, lang) or text.word("sign_in.no_groups", lang)
        contact = table.contact.get(lang) or text.word("sign_in.keeper", lang)
        facts = (("sign_in.who", person.name), ("sign_in.account", person.sub), ("sign_in.groups", groups))
        listed = "".join(
            f"<dt>{text.escaped(key, lang)}</dt><dd><bdi>{text.escape(value)}</bdi></dd>" for key, value in facts
        )
        return (
            f"{_paragraph(lang, 'sign_in.no_rights')}<dl>{listed}</dl>"
            f"<p>{text.escaped('sign_in.ask', lang, contact=contact)}</p>" + f"<p>{sign_out(lang)}</p>"
        )

    return _page(part)


def sign_out(lang: str) -> str:
    """The button that ends the session: a POST, which no link and no other site sends."""
    return f'<form method="post" action="{base_path()}/sign-out"><button>{text.escaped("sign_in.out", lang)}</button></form>'


def leaving(address: str) -> str:
    """The page after a sign-out here, which leads to that of the provider."""
    return _page(
        lambda lang: _paragraph(lang, "sign_in.ended"),
        f'<meta http-equiv="refresh" content="0; url={text.escape(address)}">',
    )


def gone() -> str:
    """A file that was fetched already, is somebody else's, or was offered too long ago."""
    return "\n".join(text.word("sign_in.file_gone", lang) for lang in text.LANGUAGES)


def with_link(key: str, path: str, link: str) -> str:
    """A sentence and a link, by their keys under `sign_in`."""
    return _page(lambda lang: _paragraph(lang, f"sign_in.{key}") + _link(lang, path, link))


def _page(part: Callable[[str], str], head: str = "") -> str:
    sections = "".join(
        f'<section lang="{lang}" dir="{text.direction(lang)}"><h1>{text.escaped("app.title", lang)}</h1>{part(lang)}</section>'
        for lang in text.LANGUAGES
    )
    title = text.escaped("app.title", "fa")
    return (
        f'<!doctype html><html lang="fa"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width">{head}<style>{_STYLE}</style></head>'
        f"<body>{sections}</body></html>"
    )


def _paragraph(lang: str, key: str) -> str:
    return f"<p>{text.escaped(key, lang)}</p>"


def _link(lang: str, path: str, key: str) -> str:
    return f'<p><a href="{base_path()}{path}">{text.escaped(f"sign_in.{key}", lang)}</a></p>'
