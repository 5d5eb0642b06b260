"""The encrypted texts of an outreach: its request's body, and quotations in its history."""

from state.cipher import Cipher, sealed_in
from state.errors import UnreadableError

BODY, HISTORY = "outreach.body", "outreach.history"
"""The texts are authenticated under these names; no field of a session has such a name."""


def readable(cipher: Cipher, outreach: str, history: str) -> str:
    """Return an outreach's history with its encrypted parts decrypted, or marked as unreadable."""
    for sealed in set(sealed_in(history)):
        try:
            text = cipher.decrypt(outreach, HISTORY, "", sealed)
        except UnreadableError as exc:
            text = f"({exc})"
        history = history.replace(sealed, text)
    return history
