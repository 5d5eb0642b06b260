"""Encryption at rest: personal fields of sessions and outreaches are encrypted before they are written to Redis.

An encrypted value is `~<key id>:<base64 of nonce, ciphertext and tag>`, AES-256-GCM. Its place (the id of the session
or outreach, the field's name, the field's stamp) is authenticated, so a value that was moved doesn't decrypt there.
Texts are padded to whole blocks first. Otherwise their length would tell `true` from `false`, or one country from
another.

The nonce is computed, so that applying an event twice gives the same bytes. It is a keyed BLAKE2b of place, stamp and
text, under its own subkey. docs/decisions/0008-computed-nonce.md explains why this is safe.

These aren't hidden: that a field exists or was cleared, the approximate length of a text, ids, times, stages, outcomes,
and the names of fields. The merge has to find a field by its name under every key and after each rotation. The shop's
programmers name metadata fields, and must not put personal data into names. Encryption also doesn't stop a writer to
Redis from replacing an encrypted value by a plain one, because values from before encryption are still read.
"""

import re
from binascii import a2b_base64, b2a_base64
from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from typing import Protocol

from state.errors import TamperedError, UnknownKeyError

OPEN_FIELDS = frozenset({"opted_out", "order"})
"""Fields of a session that are never encrypted: that the person refused, and the value of the last order."""
KEY_BYTES = 32
MAKE_ONE = "make one with openssl rand -hex 32"

_SEALED = re.compile(r"~([0-9a-f]{8}):[A-Za-z0-9+/]{58}")
_PLACES = re.compile(rf"{_SEALED.pattern}[A-Za-z0-9+/]*")
_NONCE = 12
_BLOCK = 16
_FEWEST_DIFFERENT = 12  # of 32 random bytes all but one in 10**19 have more


class Cipher(Protocol):
    """Encrypts texts for their place in Redis, and decrypts them.

    The first of `ids` encrypts; without ids, texts stay plain.
    """

    @property
    def ids(self) -> Sequence[str]:
        """The ids of all keys, the encrypting one first."""

    def encrypt(self, owner: str, name: str, stamp: str, text: str) -> str:
        """Return the stored text for field `name` of a session or outreach; an empty one stays empty."""

    def encrypt_fields(self, owner: str, stamp: str, fields: Mapping[str, str]) -> list[str]:
        """Return the stored form of fields, flat: name, stamp and value, name, ...; an empty text is the bare stamp."""

    def decrypt(self, owner: str, name: str, stamp: str, stored: str) -> str:
        """Return the text. A value that isn't encrypted is returned unchanged.

        Raises:
            UnknownKeyError: It was encrypted under a key that this process lacks.
            TamperedError: It isn't the value that was encrypted for this place.
        """


class Unencrypted:
    """The cipher without keys: texts are stored unchanged."""

    ids: Sequence[str] = ()

    def encrypt(self, owner: str, name: str, stamp: str, text: str) -> str:
        """Return the text, with a space in front if a shopper typed it to look like an encrypted value."""
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
        """As `Cipher.decrypt`: encrypted values aren't taken for data."""
        del owner, stamp
        if key_id := key_id_of(stored):
            raise UnknownKeyError(_unknown(name, key_id))
        return stored


class _Key:
    """One key, with its derived subkeys for encryption and nonces, and its id."""

    __slots__ = ("aead", "id", "nonces")

    def __init__(self, secret: bytes) -> None:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        self.aead = AESGCM(_derived(secret, b"encryption", KEY_BYTES))
        # Copied for each value: setting up the key again would take twice as long.
        self.nonces = blake2b(key=_derived(secret, b"nonces", KEY_BYTES), digest_size=_NONCE)
        self.id = _derived(secret, b"id", 4).hex()


class AesGcm:
    """AES-256-GCM under the first of several keys; decrypts values of all of them. Thread-safe."""

    def __init__(self, secrets: Sequence[bytes]) -> None:
        """Derive all subkeys. `secrets`: keys of 32 bytes, as `read_keys` returns them."""
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
                f"{_shown(name)}: doesn't decrypt under its key {key_id}: it was changed or moved in Redis"
            ) from None
        return padded.rstrip(b"\0")[:-1].decode()

    def _seal(self, place: bytes, text: str) -> str:
        key, padded = self._first, text.encode() + b"\x80"
        padded += bytes(-len(padded) % _BLOCK)
        nonces = key.nonces.copy()
        # The length prefix keeps two different pairs of place and text from giving the same input.
        nonces.update(b"%d\0%b%b" % (len(place), place, padded))
        nonce = nonces.digest()
        sealed = b2a_base64(nonce + key.aead.encrypt(nonce, padded, place), newline=False)
        return f"~{key.id}:{sealed.rstrip(b'=').decode()}"


def cipher_of(keys: str) -> Cipher:
    """Return the cipher for a list of keys as `read_keys` reads it; an empty list means no encryption."""
    return AesGcm(read_keys(keys)) if keys else Unencrypted()


def read_keys(text: str) -> list[bytes]:
    """Return keys of 32 bytes from hexadecimal or base64 text, separated by commas.

    Raises:
        ValueError: Names the unusable key, never its text, and how to make one.
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
    """Return the id of the key that encrypts a value (without its stamp); empty if it isn't encrypted."""
    match = _SEALED.match(stored)
    return match[1] if match else ""


def sealed_in(text: str) -> Iterable[str]:
    """Return the encrypted values in a longer text, such as an outreach's history."""
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
    # A shop's names of metadata fields don't belong in logs.
    return "metadata" if name.startswith("meta.") else name
