"""Types of fields that several APIs have."""

from datetime import UTC, datetime


def instant(unix_s: int) -> datetime:
    """An instant of the database for a field that is shown in RFC 3339."""
    return datetime.fromtimestamp(unix_s, UTC)
