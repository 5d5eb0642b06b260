"""The command `winback`. Here is only its beginning: all that takes time to import is imported under its care."""

import sys

_INTERRUPTED = 130  # what shells report for a command that Ctrl-C ended


def main() -> None:
    """Run the command line; Ctrl-C ends it without a word, from the first moment on."""
    try:
        from winback.cli.commands import run  # noqa: PLC0415 - half a second, in which Ctrl-C may come

        sys.exit(run())
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)
