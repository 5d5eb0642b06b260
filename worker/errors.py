"""Errors that end a command with one clear line instead of a traceback."""


class StartError(Exception):
    """A user's mistake or a missing part: one line per problem, each naming the thing and the way out."""
