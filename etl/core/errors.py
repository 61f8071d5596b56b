"""Errors that a user is told in one sentence."""


class Refused(Exception):
    """A file or a build that cannot be taken; its text is one line that names the file, the place and the reason."""

    # Whether the file was refused for its headers, though most of them are those of the table.
    resembles = False


class QuestionError(ValueError):
    """A question that has no meaning; its text says why."""


class Busy(Exception):
    """Another build is running."""


class OtherVersion(Refused):
    """A publication of other code: its tables may lack what this code reads."""

    SENTENCE = "this publication was built by another version of the program; run python -m etl build again"
