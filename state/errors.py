"""What can go wrong with the state server, in words that its callers act on."""


class StateError(Exception):
    """Base of all errors of this package. The message is one line that names the thing and the way out."""


class ServerUnavailableError(StateError):
    """The server is away, frozen, loading or failing over: worth trying again."""


class ServerFullError(StateError):
    """The server has reached maxmemory and refuses writes: worth trying again once there is room."""


class ServerUnsuitableError(StateError):
    """The server is too old, or configured so that the promise cannot be kept: no use trying again."""


class DeploymentMismatchError(StateError):
    """The data belongs to another schema, partition count or identity secret: no use trying again."""


class UnreadableError(StateError):
    """A value in Redis cannot be decrypted. The message names the field, never what is in it."""


class UnknownKeyError(UnreadableError):
    """It was encrypted under a key that this process was not given."""


class TamperedError(UnreadableError):
    """It is not what was encrypted for its place."""
