"""Prints on stderr what is being measured, so that it doesn't look like a hang."""

import sys
from time import monotonic

_began = monotonic()


def say(what: str) -> None:
    seconds = int(monotonic() - _began)
    print(f"{seconds // 60:3d}:{seconds % 60:02d}  {what}", file=sys.stderr, flush=True)
