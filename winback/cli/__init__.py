"""The command `winback`. Here is only its beginning: all that takes time to import is imported under its care."""

import gc
import sys

_INTERRUPTED = 130  # what shells report for a command that Ctrl-C ended


def main() -> None:
    """Run the command line; Ctrl-C ends it without a word, from the first moment on."""
    # Imports make many objects that stay: looking through them again and again takes a seventh of the start.
    gc.disable()
    try:
        from winback.cli.commands import run

        sys.exit(run())
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)
