"""Why a Redis server or broker can't be used, and what to change: the words of `status`, `doctor` and every command."""

import ssl
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import urlsplit

from redis.exceptions import AuthenticationError, RedisError

from worker.port_probe import Protocol, protocol_of


class Diagnosis(NamedTuple):
    """What is the matter, in words that complete "host:port: ...", and what to do."""

    reason: str
    hint: str


_PASSWORDS = (
    ("without any password configured", "{setting} has a password, but the server has none", "remove the password"),
    (
        "NOAUTH",
        "it needs a password, and {setting} has none",
        "write {scheme}://USER:PASSWORD@HOST (USER can be empty)",
    ),
    ("Authentication required", "it needs a password, and {setting} has none", "write {scheme}://USER:PASSWORD@HOST"),
)
_WRONG_PASSWORD = Diagnosis("it refuses the user or password", "correct the user and password in {setting}")
_CERTIFICATE = "add its CA to {setting} (rediss://...?ssl_ca_certs=FILE), or write the host name that it is for"
_NO_DATABASE = Diagnosis(
    "it has no database {database}", "write a smaller number at the end of {setting}; most servers have 0 to 15"
)
_CLUSTER_DATABASE = Diagnosis("it is a Redis Cluster, which has only database 0", "write /0 at the end of {setting}")
_OF_PROTOCOL: dict[Protocol, Diagnosis] = {
    "HTTP": Diagnosis("an HTTP server answers there, not Redis", "correct the host and port in {setting}"),
    "HTTPS": Diagnosis("an HTTPS server answers there, not Redis", "correct the host and port in {setting}"),
    "SSH": Diagnosis("an SSH server answers there, not Redis", "correct the host and port in {setting}"),
}
_OF_AMQP: dict[Protocol, Diagnosis] = {
    name: Diagnosis(found.reason.replace("Redis", "a broker"), found.hint) for name, found in _OF_PROTOCOL.items()
}
_AMQP = Diagnosis("an AMQP broker (RabbitMQ) answers there, not Redis", "correct the host and port in {setting}")
_REDIS = Diagnosis("a Redis server answers there, not an AMQP broker", "write redis:// in {setting}")
_NEEDS_TLS = Diagnosis("it speaks TLS, and {setting} doesn't", "write rediss:// instead of redis:// in {setting}")
_NO_TLS = Diagnosis("it doesn't speak TLS, and {setting} does", "write redis:// instead of rediss:// in {setting}")


def diagnose(problem: BaseException, url: str, setting: str, *, probe: bool) -> Diagnosis | None:
    """Return what an error of a server means; None when the error itself says it best.

    Args:
        problem: What its client raised.
        url: Of the server.
        setting: The environment variable that names the server, for the hint.
        probe: Whether the port is probed if the error doesn't tell. That takes up to 2 s.
    """
    parts = urlsplit(url)
    found = of_error(problem)
    if found is None and probe and _can_be_probed(parts.netloc, parts.scheme):
        found = _of_port(url, parts.scheme)
    if found is None:
        return None
    words = {"setting": setting, "scheme": parts.scheme, "database": parts.path.strip("/") or "0"}
    return Diagnosis(found.reason.format(**words), found.hint.format(**words))


def of_error(problem: BaseException) -> Diagnosis | None:
    """Return what an error tells by itself; the texts have placeholders."""
    for error in chain(problem):
        text = str(error)
        for words, reason, hint in _PASSWORDS:
            if isinstance(error, RedisError) and words in text:
                return Diagnosis(reason, hint if "{setting}" in hint else f"{hint} in {{setting}}")
        if isinstance(error, ssl.SSLCertVerificationError):
            why = error.verify_message.replace("{", "(").replace("}", ")")
            return Diagnosis(f"its certificate is not valid: {why}", _CERTIFICATE)
        if isinstance(error, AuthenticationError):
            return _WRONG_PASSWORD
        if "DB index is out of range" in text:
            return _NO_DATABASE
        if "SELECT is not allowed in cluster mode" in text:
            return _CLUSTER_DATABASE
    return None


def chain(problem: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and those that it came from."""
    while problem is not None:
        yield problem
        problem = problem.__cause__ or problem.__context__


def _can_be_probed(netloc: str, scheme: str) -> bool:
    return "," not in netloc and scheme in {"redis", "rediss", "amqp", "amqps"}


def _of_port(url: str, scheme: str) -> Diagnosis | None:
    protocol = protocol_of(url)
    if scheme.startswith("amqp"):
        return _REDIS if protocol.startswith("redis") else _OF_AMQP.get(protocol)
    if protocol == "AMQP":
        return _AMQP
    if protocol == "redis over TLS" and scheme == "redis":
        return _NEEDS_TLS
    if protocol == "redis" and scheme == "rediss":
        return _NO_TLS
    return _OF_PROTOCOL.get(protocol)
