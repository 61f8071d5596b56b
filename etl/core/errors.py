"""Errors that the user reads as one sentence."""


class Refused(Exception):
    """A file or a build that is not accepted; its text is one line that names the file, the place and the reason."""

    # Whether the file was refused for its headers although most of them belong to the table.
    resembles = False
    # The province that it is about; empty: the whole country.
    province = ""

    @property
    def sentences(self) -> list[tuple[str, str]]:
        """Its lines, each with its province."""
        return [(self.province, line) for line in str(self).splitlines()]


class QuestionError(ValueError):
    """A question that has no meaning; its text says why."""


class TooEarly(QuestionError):
    """A method cannot be computed for that day: the register does not reach back far enough before it."""


class AccessDenied(QuestionError):
    """The question goes beyond the rights of the person who asks; the text does not repeat the question."""

    def __init__(self) -> None:
        super().__init__("outside of what this person may see")


class Busy(Exception):
    """Another build is running."""


class OtherVersion(Refused):
    """A publication built by other code: its tables may lack what this code reads."""

    SENTENCE = "this publication was built by another version of the program; run python -m etl build again"


class TooLarge(Exception):
    """A question that takes more rows or seconds than a web process allows for one."""
