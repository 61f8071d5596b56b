"""What a reader is told where a store of the site cannot be used; the log says which one, where and why."""

import logging

from etl.extract.causes import in_language
from etl.operations import stores

_LOG = logging.getLogger("policeyar.stores")


def sentence(error: OSError, lang: str) -> str:
    """The sentence for who wanted something of it; the log gets one line."""
    note(error)
    return in_language(stores.sentence(error), lang)


def note(error: OSError) -> None:
    """One line of the log."""
    _LOG.error(stores.line(error))
