"""The place of a person among all people, by a hash."""

import hmac
from hashlib import sha256


def share_of(person_id: str, salt: str) -> float:
    """Return a person's place between 0 and 100: stable for one salt, and evenly spread over all people."""
    digest = hmac.digest(salt.encode(), person_id.encode(), sha256)
    return int.from_bytes(digest[:8]) / 2**64 * 100
