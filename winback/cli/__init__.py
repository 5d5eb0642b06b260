"""The command `winback`. This module only starts it: slow imports happen inside, where Ctrl-C is handled."""

import gc
import sys

_INTERRUPTED = 130  # what shells report for a command that Ctrl-C ended


def main() -> None:
    """Run the command line. Ctrl-C ends it without a traceback, also during the imports."""
    # Imports create many objects that stay. Collecting garbage among them would take a seventh of the start.
    gc.disable()
    try:
        from winback.cli.commands import run

        sys.exit(run())
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)
