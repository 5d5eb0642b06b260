"""Errors of the state server, by the reaction that they need."""


class StateError(Exception):
    """Base of all errors of this package. The message is one line with the subject and the fix."""


class ServerUnavailableError(StateError):
    """The server is down, frozen, loading or failing over. Retry."""


class ServerFullError(StateError):
    """The server has reached maxmemory and refuses writes. Retry once it has free memory."""


class ServerUnsuitableError(StateError):
    """The server is too old, or its configuration breaks the guarantees. Retrying doesn't help."""


class DeploymentMismatchError(StateError):
    """The data belongs to another schema, partition count or identity secret. Retrying doesn't help."""


class UnreadableError(StateError):
    """A value in Redis can't be decrypted. The message names the field, never its content."""


class UnknownKeyError(UnreadableError):
    """It was encrypted under a key that this process lacks."""


class TamperedError(UnreadableError):
    """It isn't the value that was encrypted for its place."""
