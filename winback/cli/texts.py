"""Text in every locale: arguments are UTF-8, and characters that the output can't encode are escaped."""

import os
import sys
from collections.abc import Iterator, Sequence

from worker.errors import StartError
from worker.logs.masking import one_line

LOCALE = "the locale can't express a character of the command line or of the output: set LC_ALL=C.UTF-8"
_LONGEST = 40


def escape_unencodable() -> None:
    """Escape characters that the output's encoding lacks, instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        if reconfigure := getattr(stream, "reconfigure", None):
            reconfigure(errors="backslashreplace")


def arguments(given: Sequence[str]) -> list[str]:
    """Return the arguments as UTF-8 text in every locale. The name of an existing file is unchanged.

    Raises:
        StartError: an argument isn't UTF-8.
    """
    return list(_arguments(given))


def _arguments(given: Sequence[str]) -> Iterator[str]:
    for number, text in enumerate(given, 1):
        if text.isascii() or not _is_escaped(text) or os.path.lexists(text):
            yield text
            continue
        try:
            yield os.fsencode(text).decode()
        except UnicodeError:
            shown = one_line(text)[:_LONGEST]
            raise StartError(f"argument {number} ({shown}): is not UTF-8 text, and no file has that name") from None


def _is_escaped(text: str) -> bool:
    """Return whether the interpreter couldn't decode some bytes."""
    return any("\udc80" <= char <= "\udcff" for char in text)
