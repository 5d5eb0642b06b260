"""Errors that end a command with one clear line instead of a traceback."""

from state.errors import ServerFullError, ServerUnavailableError

TRY_AGAIN = 75
"""Exit code for a temporary problem (EX_TEMPFAIL of sysexits.h); a supervisor restarts such a role."""
MISTAKE = 2


class StartError(Exception):
    """A user's mistake or a missing part: one line per problem, each with the subject and the fix."""


def exit_code(problem: Exception) -> int:
    """Return the exit code for an error: 2 for problems that an operator must fix, else 75."""
    return TRY_AGAIN if isinstance(problem, ServerUnavailableError | ServerFullError) else MISTAKE
