"""Encryption at rest: what is personal in a session or an outreach is sealed before it is written to Redis.

A sealed value is `~<key id>:<base64 of nonce, ciphertext and tag>`, AES-256-GCM. What it belongs to (the session's or
the outreach's id, the field's name, the field's stamp) is authenticated with it, so a value that somebody moves to
another place does not open there. Texts are padded to whole blocks first: `true` and `false`, two countries or two
channels could otherwise be told apart by their length.

The nonce is computed, so that applying an event twice ends in the same bytes. It is a keyed BLAKE2b, under a subkey of
its own, of place, stamp and text. Why that is safe: docs/decisions/0008-computed-nonce.md.

Not hidden: that a field is there or was cleared, roughly how long a text is, ids, times, stages, outcomes, the names of
fields. A field's name has to be found again by the merge, under every key and after each rotation; those of metadata
are written by the shop's programmers, who must not put personal data into them. Nor does it stop somebody who may write
to Redis from putting a plain value in a sealed one's place: values from before encryption was on are still read.
"""

import re
from binascii import a2b_base64, b2a_base64
from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from typing import Protocol

from state.errors import TamperedError, UnknownKeyError

OPEN_FIELDS = frozenset({"opted_out", "order"})
"""Fields of a session that are never sealed: that somebody refused, and what the last order was worth."""
KEY_BYTES = 32
MAKE_ONE = "make one with openssl rand -hex 32"

_SEALED = re.compile(r"~([0-9a-f]{8}):[A-Za-z0-9+/]{58}")
_PLACES = re.compile(rf"{_SEALED.pattern}[A-Za-z0-9+/]*")
_NONCE = 12
_BLOCK = 16
_FEWEST_DIFFERENT = 12  # of 32 random bytes all but one in 10**19 have more


class Cipher(Protocol):
    """Seals texts for their place in Redis, and opens them. Which key: the first of `ids`; none: nothing is sealed."""

    @property
    def ids(self) -> Sequence[str]:
        """The ids of all keys, that of the sealing one first."""

    def encrypt(self, owner: str, name: str, stamp: str, text: str) -> str:
        """Return a text as it is stored in field `name` of a session or outreach; an empty one stays empty."""

    def encrypt_fields(self, owner: str, stamp: str, fields: Mapping[str, str]) -> list[str]:
        """Return fields as they are stored, flat: name, stamp and value, name, ...; an empty text is the bare stamp."""

    def decrypt(self, owner: str, name: str, stamp: str, stored: str) -> str:
        """Return the text; one that was never sealed is returned as it is.

        Raises:
            UnknownKeyError: it was sealed under a key that is not here.
            TamperedError: it is not what was sealed for this place.
        """


class Unencrypted:
    """What is used without keys: texts are stored as they are."""

    ids: Sequence[str] = ()

    def encrypt(self, owner: str, name: str, stamp: str, text: str) -> str:
        """Return the text, with a space before one that somebody typed to look like a sealed value."""
        del owner, name, stamp
        return f" {text}" if text[:1] == "~" and key_id_of(text) else text

    def encrypt_fields(self, owner: str, stamp: str, fields: Mapping[str, str]) -> list[str]:
        """As `Cipher.encrypt_fields`."""
        seal = self.encrypt
        return [
            word
            for name, text in fields.items()
            for word in (name, stamp + (seal(owner, name, stamp, text) if text[:1] == "~" else text))
        ]

    def decrypt(self, owner: str, name: str, stamp: str, stored: str) -> str:
        """As `Cipher.decrypt`: sealed values are not taken for data."""
        del owner, stamp
        if key_id := key_id_of(stored):
            raise UnknownKeyError(_unknown(name, key_id))
        return stored


class _Key:
    """One key, and what is derived from it: subkeys for encryption and nonces, and its id."""

    __slots__ = ("aead", "id", "nonces")

    def __init__(self, secret: bytes) -> None:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        self.aead = AESGCM(_derived(secret, b"encryption", KEY_BYTES))
        # Copied for each value: setting up the key anew would take twice as long.
        self.nonces = blake2b(key=_derived(secret, b"nonces", KEY_BYTES), digest_size=_NONCE)
        self.id = _derived(secret, b"id", 4).hex()


class AesGcm:
    """AES-256-GCM under the first of some keys; opens what any of them has sealed. Threads may share one."""

    def __init__(self, secrets: Sequence[bytes]) -> None:
        """Derive all subkeys; `secrets` are keys of 32 bytes, as `read_keys` returns them."""
        keys = [_Key(secret) for secret in secrets]
        self._first = keys[0]
        self._by_id = {key.id: key for key in keys}
        self.ids: Sequence[str] = tuple(key.id for key in keys)

    def encrypt(self, owner: str, name: str, stamp: str, text: str) -> str:
        """As `Cipher.encrypt`."""
        return self._seal(f"{owner}\0{name}\0{stamp}".encode(), text) if text else text

    def encrypt_fields(self, owner: str, stamp: str, fields: Mapping[str, str]) -> list[str]:
        """As `Cipher.encrypt_fields`."""
        words = []
        for name, text in fields.items():
            words.append(name)
            if text and name not in OPEN_FIELDS:
                words.append(stamp + self._seal(f"{owner}\0{name}\0{stamp}".encode(), text))
            else:
                words.append(stamp + text)
        return words

    def decrypt(self, owner: str, name: str, stamp: str, stored: str) -> str:
        """As `Cipher.decrypt`."""
        if stored[:1] != "~" or not (key_id := key_id_of(stored)):
            return stored
        key = self._by_id.get(key_id)
        if key is None:
            raise UnknownKeyError(_unknown(name, key_id))
        from cryptography.exceptions import InvalidTag

        try:
            sealed = a2b_base64(_filled(stored[10:]), strict_mode=True)
            place = f"{owner}\0{name}\0{stamp}".encode()
            padded = key.aead.decrypt(sealed[:_NONCE], sealed[_NONCE:], place)
        except (InvalidTag, ValueError):
            raise TamperedError(
                f"{_shown(name)}: does not open with its key {key_id}: somebody changed or moved it in Redis"
            ) from None
        return padded.rstrip(b"\0")[:-1].decode()

    def _seal(self, place: bytes, text: str) -> str:
        key, padded = self._first, text.encode() + b"\x80"
        padded += bytes(-len(padded) % _BLOCK)
        nonces = key.nonces.copy()
        # With its length in front, no place and text together read like another place and text.
        nonces.update(b"%d\0%b%b" % (len(place), place, padded))
        nonce = nonces.digest()
        sealed = b2a_base64(nonce + key.aead.encrypt(nonce, padded, place), newline=False)
        return f"~{key.id}:{sealed.rstrip(b'=').decode()}"


def cipher_of(keys: str) -> Cipher:
    """Return the cipher for a list of keys as `read_keys` reads it; an empty list is none."""
    return AesGcm(read_keys(keys)) if keys else Unencrypted()


def read_keys(text: str) -> list[bytes]:
    """Read keys of 32 bytes, in hexadecimal or base64 and separated by commas.

    Raises:
        ValueError: names which of them cannot be used, never its text, and how to make one.
    """
    keys: list[bytes] = []
    words = text.split(",")
    for number, word in enumerate(words, 1):
        which = f"key {number} of {len(words)}" if len(words) > 1 else "the key"
        key = _read_key(word.strip())
        if key is None:
            raise ValueError(f"{which} is not {KEY_BYTES} bytes in hexadecimal or base64: {MAKE_ONE}")
        if len(set(key)) < _FEWEST_DIFFERENT:
            raise ValueError(f"{which} is not random: {MAKE_ONE}")
        if key in keys:
            raise ValueError(f"{which} is there twice: take one of them out")
        keys.append(key)
    return keys


def key_id_of(stored: str) -> str:
    """Return the id of the key that a value (without its stamp) is sealed under; empty when it is not sealed."""
    match = _SEALED.match(stored)
    return match[1] if match else ""


def sealed_in(text: str) -> Iterable[str]:
    """Return the sealed values that stand in a longer text, such as an outreach's history."""
    return (match[0] for match in _PLACES.finditer(text))


def _read_key(word: str) -> bytes | None:
    try:
        if len(word) == 2 * KEY_BYTES:
            return bytes.fromhex(word)
        key = a2b_base64(_filled(word.replace("-", "+").replace("_", "/").rstrip("=")), strict_mode=True)
    except ValueError:
        return None
    return key if len(key) == KEY_BYTES else None


def _filled(base64: str) -> str:
    return base64 + "=" * (-len(base64) % 4)


def _derived(secret: bytes, purpose: bytes, length: int) -> bytes:
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    return HKDF(SHA256(), length, salt=None, info=b"winback " + purpose).derive(secret)


def _unknown(name: str, key_id: str) -> str:
    return f"{_shown(name)}: is encrypted under key {key_id}, which is not in encryption_keys: add that key and restart"


def _shown(name: str) -> str:
    # What a shop calls its metadata is not for logs.
    return "metadata" if name.startswith("meta.") else name
