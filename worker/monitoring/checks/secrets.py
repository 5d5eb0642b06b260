"""Checks the secrets: whether all are set, and whether the data was written with this identity secret."""

from collections.abc import Mapping

from state import deployment
from worker.errors import StartError
from worker.monitoring.finding import Finding
from worker.runtime import identity_secret
from worker.settings import LIVE_KEYS, Settings, require
from worker.settings.generated_secrets import IDENTITY_SECRET

NAME = "secrets"
_RECORDED = "identity"


def findings(settings: Settings, record: Mapping[str, str] | None, *, kept: bool) -> list[Finding]:
    """Check the secrets of these settings.

    Args:
        settings: With the kept identity secret if they had none.
        record: The deployment's record, with the fingerprint of its secret; None: the server didn't answer.
        kept: Whether the identity secret is from the file of `winback up`.
    """
    mode = settings.delivery.mode
    try:
        require(settings, "identity_secret", *(LIVE_KEYS if mode == "live" else ()))
    except StartError as problem:
        return [Finding(NAME, "fail", line) for line in str(problem).splitlines()]
    source = f"{IDENTITY_SECRET} (kept by winback up)" if kept else "identity_secret"
    recorded = (record or {}).get(_RECORDED)
    if recorded and recorded != deployment.fingerprint(identity_secret(settings)):
        return [_foreign(source)]
    if record is None:
        return [Finding(NAME, "note", f"all that {mode} mode needs are set; the server couldn't confirm {source}")]
    if not recorded and kept:
        text = f"{source} is used, and this server has no data of it: winback up keeps it for its own server"
        return [Finding(NAME, "note", text, "set WINBACK_IDENTITY_SECRET if another server is meant")]
    confirmed = f"the data was written with {source}" if recorded else "no data was written with one yet"
    return [Finding(NAME, "ok", f"all that {mode} mode needs are set; {confirmed}")]


def _foreign(source: str) -> Finding:
    text = (
        f"{source} doesn't belong to this server's data: no role starts with it, and commands would recognise "
        "no person who was contacted, bought or opted out"
    )
    return Finding(NAME, "fail", text, "set WINBACK_IDENTITY_SECRET to the secret of this server's data")
