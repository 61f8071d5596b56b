"""Lines that carry a code under a key of their own; the key of the next line is derived from that key."""

import hashlib
import hmac

# The hash before the first line.
FIRST = "0" * 64
_CODE = ', "code": "'


def chain_of(first_key: str) -> str:
    """The name of the chain that begins with a key."""
    return hashlib.sha256(b"chain " + first_key.encode()).hexdigest()[:16]


def next_key(key: str) -> str:
    """The key of the next line, from which this one does not follow."""
    return hashlib.sha256(b"next " + key.encode()).hexdigest()


def sealed(key: str, body: str) -> str:
    """The line of a body, which is JSON without its last brace."""
    return f'{body}{_CODE}{hmac.digest(key.encode(), body.encode(), "sha256").hex()}"}}'


def is_of(key: str, line: str) -> bool:
    """Whether a line was written with a key."""
    return hmac.compare_digest(sealed(key, line.rpartition(_CODE)[0]).encode(), line.encode())


def digest(line: str) -> str:
    """The hash of a line, which the next one carries."""
    return hashlib.sha256(line.encode()).hexdigest()
