"""Errors that end a command with one clear line instead of a traceback."""

from state.errors import ServerFullError, ServerUnavailableError

TRY_AGAIN = 75
"""Exit code for what may be better in a moment (EX_TEMPFAIL of sysexits.h); a supervisor starts such a role again."""
MISTAKE = 2


class StartError(Exception):
    """A user's mistake or a missing part: one line per problem, each naming the thing and the way out."""


def exit_code(problem: Exception) -> int:
    """Return the exit code for what ended a command: 2 for what a person has to mend, else 75."""
    return TRY_AGAIN if isinstance(problem, ServerUnavailableError | ServerFullError) else MISTAKE
