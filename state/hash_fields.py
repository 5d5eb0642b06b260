"""Reads the fields of a hash as text."""

from collections.abc import Mapping


def texts(found: Mapping[bytes, bytes]) -> dict[str, str]:
    """Return the fields of a hash; bytes that aren't UTF-8 are replaced."""
    return {name.decode(errors="replace"): text.decode(errors="replace") for name, text in found.items()}


def time_of(stored: str | None) -> int | None:
    """Return a stored time (Unix ms); None if there is none."""
    return None if stored is None else int(stored)
