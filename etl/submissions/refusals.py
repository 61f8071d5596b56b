"""What is not done, with the status that an HTTP answer has for it and a sentence in both languages."""

from etl.core.errors import Refused

BAD, DENIED, NOT_THERE, CONFLICT, NO_LENGTH, TOO_LARGE, OTHER_KIND, UNUSABLE, NO_SPACE = (
    400, 403, 404, 409, 411, 413, 415, 422, 507,
)  # fmt: skip


class Declined(Refused):
    """A step that is not taken; the text is one sentence, in English and then in Persian.

    `is_outside`: it is outside of the rights of who asked, which the audit log notes.
    """

    status = CONFLICT
    is_outside = False


def declined(status: int, refusal: Refused, is_outside: bool = False) -> Declined:
    """A refusal with its status."""
    made = Declined(str(refusal))
    made.status, made.is_outside = status, is_outside or status == DENIED
    return made
