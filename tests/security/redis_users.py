"""The users of `deploy/redis-users.acl`, created on a running server, and the URL of each."""

from pathlib import Path
from typing import Any

from worker.supervision.embedded_valkey import EmbeddedValkey

ACL_FILE = Path(__file__).parents[2] / "deploy" / "redis-users.acl"
USERS = (
    "producer",
    "collect",
    "ingest",
    "sweep",
    "recover",
    "outcomes",
    "record",
    "reader",
    "beat",
    "metrics",
    "operator",
    "broker",
    "flower",
)


def rules() -> dict[str, list[str]]:
    """Return the rules of each user, as in the file."""
    lines = [line.split() for line in ACL_FILE.read_text(encoding="ascii").splitlines()]
    assert all(words[0] == "user" for words in lines)
    return {words[1].removeprefix("winback-"): words[2:] for words in lines}


def make_users(client: Any) -> None:  # noqa: ANN401 - the driver's stubs know nothing of bytes
    """Create all but `default`, whose password would lock out this client."""
    for user in USERS:
        client.execute_command("ACL", "SETUSER", f"winback-{user}", "reset", *rules()[user])


def url_of(user: str, server: EmbeddedValkey, database: int = 0) -> str:
    login = f"redis://winback-{user}:PASSWORD_OF_{user.upper()}@"
    return server.url.replace("redis://", login).removesuffix("0") + str(database)


def refused(client: Any) -> set[tuple[str, str, str]]:  # noqa: ANN401 - as above
    """Return (user, kind of missing right, object) since the log was reset."""
    log = client.execute_command("ACL", "LOG")
    found = {(text(entry["username"]), text(entry["reason"]), text(entry["object"])) for entry in map(named, log)}
    # The driver's own handshake, whose refusal it ignores; Redis 7.0 lacks the command.
    return {entry for entry in found if entry[2] != "client|setinfo"}


def named(entry: Any) -> dict[str, Any]:  # noqa: ANN401 - a mapping, or names and values in turn
    pairs = entry.items() if isinstance(entry, dict) else zip(entry[::2], entry[1::2], strict=True)
    return {text(name): value for name, value in pairs}


def text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value
