"""What can go wrong in the domain; each API words it in its own style.

`code` is stable and for programs, the text is for people and tells nothing about what the caller
may not know.
"""


class DomainError(Exception):
    """Of all of these; nothing was changed."""

    def __init__(self, code: str, text: str):
        super().__init__(text)
        self.code = code


class NotFound(DomainError):
    """There is no such thing, or not for this caller: the two cannot be told apart."""

    def __init__(self, what: str):
        super().__init__("not-found", f"There is no such {what}.")


class Forbidden(DomainError):
    """The caller may see the thing, and not do this to it."""


class Conflict(DomainError):
    """It contradicts what is there already."""


class Invalid(DomainError):
    """It makes no sense by itself; `problems` is all that is wrong with it."""

    def __init__(self, *problems: str, code: str = "invalid"):
        super().__init__(code, "; ".join(problems))
        self.problems = problems


class Gone(DomainError):
    """A link that was used or ran out, or a share that has ended."""
