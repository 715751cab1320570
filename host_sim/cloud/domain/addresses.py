"""E-mail addresses: which are taken, and when two are the same."""

import re
import unicodedata

from .errors import Invalid

MOST = 254  # RFC 5321 section 4.5.3.1.3, without the angle brackets
_ADDRESS = re.compile(r"[^@\s]{1,64}@[^@\s.]+(\.[^@\s.]+)+")


def key(email: str) -> str:
    """What addresses are compared by: composed, in lower case, without blanks around it.

    Raises Invalid for what is no address, or holds characters that cannot be seen.
    """
    folded = unicodedata.normalize("NFKC", email.strip()).casefold()
    if len(email) > MOST or len(folded) > MOST or not _ADDRESS.fullmatch(folded):
        raise Invalid("that is no e-mail address", code="bad-email")
    if any(unicodedata.category(letter)[0] in "CZ" for letter in folded):
        raise Invalid("an e-mail address has no invisible characters", code="bad-email")
    return folded
