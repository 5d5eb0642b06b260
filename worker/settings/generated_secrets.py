"""The secrets that `winback up` generates and keeps below the working directory."""

import os
import secrets
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from pydantic import SecretStr

from worker.errors import StartError
from worker.settings import Settings

VAR: Final = Path("var")
"""The directory of the embedded server and the generated secrets."""
IDENTITY_SECRET: Final = VAR / "identity_secret"
_HERE: Final = frozenset({"127.0.0.1", "localhost", "::1"})


def kept_secret(path: Path) -> str:
    """Return the secret in this file; generate it if it is missing.

    With another one, no known person would be recognised.

    Raises:
        StartError: The file can't be read, written or used.
    """
    try:
        if not path.exists():
            write_private(path, secrets.token_hex(32))
        secret = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as e:
        reason = e.strerror if isinstance(e, OSError) else "it is not plain text"
        raise StartError(
            f"{path}: the identity secret can't be kept there ({reason}): set WINBACK_IDENTITY_SECRET"
        ) from e
    if not secret:
        raise StartError(
            f"{path}: is empty: put the old secret back, or delete it and {VAR / 'valkey'} to start from scratch"
        )
    return secret


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read, completely or not at all.

    Raises:
        OSError: It can't be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
        file.write(f"{text}\n")
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


class CompletedSettings(NamedTuple):
    """Settings, and whether the generated identity secret was added to them."""

    settings: Settings
    kept: bool


def with_kept_secret(settings: Settings) -> CompletedSettings:
    """Return the settings, with the generated identity secret if they have none.

    Only for a server on this machine, because `winback up` generates it for that.
    """
    if settings.identity_secret is not None or urlsplit(settings.redis_url or "").hostname not in _HERE:
        return CompletedSettings(settings, kept=False)
    try:
        secret = IDENTITY_SECRET.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return CompletedSettings(settings, kept=False)
    completed = settings.model_copy(update={"identity_secret": SecretStr(secret)} if secret else {})
    return CompletedSettings(completed, bool(secret))
