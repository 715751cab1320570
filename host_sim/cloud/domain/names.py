"""Names that people give to themselves and their things."""

import unicodedata

from .errors import Invalid

MOST = 100
# Joiners belong to letters of some scripts, and to emoji.
_JOINERS = "\u200c\u200d"


def clean(name: str, most: int = MOST) -> str:
    """A name, composed, without blanks around it.

    Raises Invalid if it is empty, too long, or has characters that nobody sees: line breaks could
    end up in the head of a mail, and marks of direction make a name look like another one.
    """
    composed = unicodedata.normalize("NFC", name).strip()
    if not composed or len(composed) > most:
        raise Invalid(f"a name has 1 to {most} characters", code="bad-name")
    for letter in composed:
        unseen = unicodedata.category(letter) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
        if unseen and letter not in _JOINERS:
            text = f"a name must not contain the character U+{ord(letter):04X}"
            raise Invalid(text, code="bad-name")
    return composed
