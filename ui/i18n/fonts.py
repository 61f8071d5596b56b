"""The font of each language, as files of static/fonts: that of Persian draws every digit as a Persian one."""

from collections.abc import Callable

_WEIGHTS = {"Regular": "100 500", "Bold": "600 900"}


def names(lang: str) -> list[str]:
    """The names of its files, the regular one first."""
    return [f"{'Vazirmatn-FD' if lang == 'fa' else 'Vazirmatn'}-{weight}.woff2" for weight in _WEIGHTS]


def faces(lang: str, address: Callable[[str], str]) -> str:
    """The style sheet of its faces; `address` gives that of a file by its name."""
    return "".join(
        f'@font-face{{font-family:"Vazirmatn";font-weight:{weight};font-display:swap;'
        f'src:url("{address(name)}") format("woff2")}}'
        for name, weight in zip(names(lang), _WEIGHTS.values(), strict=True)
    )
