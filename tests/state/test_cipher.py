"""Encryption: every text decrypts only in its own place and under its own key, and reveals nothing."""

import base64
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from state.cipher import AesGcm, Cipher, Unencrypted, cipher_of, key_id_of, read_keys, sealed_in
from state.errors import TamperedError, UnknownKeyError

KEY, OTHER = bytes(range(32)), bytes(range(100, 132))
STAMP = "0123456789"
PLAIN = Unencrypted()

texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=300)
names = st.sampled_from(["name", "phone", "cart", "consent.call"]) | st.builds("meta.{}".format, texts)
places = st.tuples(st.from_regex(r"[A-Za-z0-9._:~@+=-]{1,128}", fullmatch=True), names, st.just(STAMP))
BOUNDED = settings(max_examples=200, deadline=None, derandomize=True)


@pytest.fixture(scope="module")
def cipher() -> AesGcm:
    return AesGcm([KEY])


@given(place=places, text=texts)
@BOUNDED
def test_what_was_sealed_comes_back(cipher: AesGcm, place: tuple[str, str, str], text: str) -> None:
    stored = cipher.encrypt(*place, text)
    assert cipher.decrypt(*place, stored) == text
    assert key_id_of(stored) == cipher.ids[0]
    assert stored.isascii()
    assert stored.isprintable()


@given(place=places, text=texts)
@BOUNDED
def test_the_same_text_in_the_same_place_is_the_same_value(
    cipher: AesGcm, place: tuple[str, str, str], text: str
) -> None:
    assert cipher.encrypt(*place, text) == AesGcm([KEY, OTHER]).encrypt(*place, text)


@given(one=st.tuples(places, texts), other=st.tuples(places, texts))
@BOUNDED
def test_another_text_or_place_is_another_nonce(
    cipher: AesGcm, one: tuple[tuple[str, str, str], str], other: tuple[tuple[str, str, str], str]
) -> None:
    nonces = {cipher.encrypt(*place, text)[10:26] for place, text in (one, other)}
    assert len(nonces) == len({one, other})


@pytest.mark.parametrize(
    "other", [("t", "name", STAMP), ("s", "phone", STAMP), ("s", "name", "0123456780"), ("s", "name", "")]
)
def test_value_opens_only_in_its_own_field(cipher: AesGcm, other: tuple[str, str, str]) -> None:
    stored = cipher.encrypt("s", "name", STAMP, "Jane Doe")
    with pytest.raises(TamperedError, match=rf"doesn't decrypt under its key {cipher.ids[0]}"):
        cipher.decrypt(*other, stored)
    assert cipher.encrypt(*other, "Jane Doe")[10:26] != stored[10:26]


def test_a_place_and_a_text_cannot_be_shifted_against_each_other(cipher: AesGcm) -> None:
    """A shop can write any character into the name of a metadata field."""
    one = cipher.encrypt("s", "meta.a", STAMP, f"\0{STAMP}")
    other = cipher.encrypt("s", f"meta.a\0{STAMP}", STAMP, "\0")
    assert one[10:26] != other[10:26]


@given(st.data(), texts)
@BOUNDED
def test_whatever_is_changed_in_a_value_it_does_not_open(cipher: AesGcm, data: st.DataObject, text: str) -> None:
    stored = cipher.encrypt("s", "name", STAMP, text)
    raw = bytearray(base64.b64decode(stored[10:] + "=" * (-len(stored[10:]) % 4)))
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= data.draw(st.integers(1, 255))
    with pytest.raises(TamperedError):
        cipher.decrypt("s", "name", STAMP, stored[:10] + base64.b64encode(bytes(raw)).decode().rstrip("="))


@given(texts, st.integers(1, 59))
@BOUNDED
def test_a_value_that_was_cut_short_or_lengthened_does_not_open(cipher: AesGcm, text: str, cut: int) -> None:
    stored = cipher.encrypt("s", "name", STAMP, text * 5)
    for changed in (stored[:-cut] if len(stored) - cut >= 70 else f"{stored}A", f"{stored}AAAA", f"{stored}!"):
        with pytest.raises(TamperedError):
            cipher.decrypt("s", "name", STAMP, changed)


def test_another_key_with_the_same_id_does_not_open_it(cipher: AesGcm) -> None:
    stored, other = cipher.encrypt("s", "name", STAMP, "Jane Doe"), AesGcm([OTHER])
    with pytest.raises(TamperedError):
        other.decrypt("s", "name", STAMP, stored.replace(cipher.ids[0], other.ids[0]))


@pytest.mark.parametrize("other", [AesGcm([OTHER]), PLAIN])
def test_a_key_that_is_not_here_is_named_with_the_way_out(cipher: AesGcm, other: Cipher) -> None:
    stored = cipher.encrypt("s", "meta.jane@example.com", STAMP, "Jane Doe")
    with pytest.raises(UnknownKeyError) as caught:
        other.decrypt("s", "meta.jane@example.com", STAMP, stored)
    assert str(caught.value) == (
        f"metadata: is encrypted under key {cipher.ids[0]}, which is not in encryption_keys: add that key and restart"
    )


def test_the_first_key_seals_and_all_open() -> None:
    old, both = AesGcm([KEY]), AesGcm([OTHER, KEY])
    assert both.decrypt("s", "name", STAMP, old.encrypt("s", "name", STAMP, "Jane")) == "Jane"
    assert key_id_of(both.encrypt("s", "name", STAMP, "Jane")) == both.ids[0] != old.ids[0]


@pytest.mark.parametrize("values", [("true", "false"), ("call", "whatsapp"), ("CO", "Colombia"), ("J", "Jane Doe")])
def test_short_texts_have_equal_encrypted_length(cipher: AesGcm, values: tuple[str, str]) -> None:
    assert len({len(cipher.encrypt("s", "x", STAMP, value)) for value in values}) == 1


@given(st.dictionaries(names, st.just("") | texts, max_size=5))
@BOUNDED
def test_fields_are_encrypted_one_by_one(cipher: AesGcm, fields: dict[str, str]) -> None:
    flat = cipher.encrypt_fields("s", STAMP, fields)
    stored = dict(zip(flat[::2], flat[1::2], strict=True))
    assert stored.keys() == fields.keys()
    for name, value in stored.items():
        assert value[:10] == STAMP
        assert (value == STAMP) == (fields[name] == "")
        assert cipher.decrypt("s", name, STAMP, value[10:]) == fields[name]


def test_what_scripts_look_at_is_left_as_it_is(cipher: AesGcm) -> None:
    assert cipher.encrypt_fields("s", STAMP, {"opted_out": "1"}) == ["opted_out", f"{STAMP}1"]


@given(texts)
@BOUNDED
def test_what_was_written_before_there_were_keys_is_still_read(cipher: AesGcm, text: str) -> None:
    assert PLAIN.encrypt("s", "name", STAMP, text) == text
    assert cipher.decrypt("s", "name", STAMP, text) == text
    assert PLAIN.encrypt_fields("s", STAMP, {"name": text, "email": ""}) == ["name", STAMP + text, "email", STAMP]


@pytest.mark.parametrize("seal", [lambda t: PLAIN.encrypt("s", "n", STAMP, t), lambda t: _field(PLAIN, t)])
def test_typed_text_is_not_taken_for_an_encrypted_value(cipher: AesGcm, seal: Callable[[str], str]) -> None:
    typed = AesGcm([OTHER]).encrypt("s", "n", STAMP, "Jane Doe")
    for reader in (cipher, PLAIN):
        assert reader.decrypt("s", "n", STAMP, seal(typed)).strip() == typed
    assert seal("~ Jane ~") == "~ Jane ~"


def _field(cipher: Cipher, text: str) -> str:
    return cipher.encrypt_fields("s", STAMP, {"n": text})[1][10:]


def test_sealed_values_are_found_in_a_longer_text(cipher: AesGcm) -> None:
    sealed = [cipher.encrypt("o", "history", "", text) for text in ("a", "b" * 100)]
    assert list(sealed_in(f"1 sent {sealed[0]}\n2 ~ok ~12345678: {sealed[1]}\n")) == sealed


def test_threads_may_share_a_cipher(cipher: AesGcm) -> None:
    def there_and_back(number: int) -> bool:
        stored = cipher.encrypt("s", "name", STAMP, f"Jane {number}")
        return cipher.decrypt("s", "name", STAMP, stored) == f"Jane {number}"

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(there_and_back, range(2000)))


# Keys


@pytest.mark.parametrize(
    "written",
    [
        KEY.hex(),
        KEY.hex().upper(),
        base64.b64encode(KEY).decode(),
        base64.urlsafe_b64encode(bytes(range(220, 252))).decode(),
        base64.b64encode(bytes(range(220, 252))).decode().rstrip("="),
    ],
)
def test_a_key_is_read_in_hexadecimal_or_base64(written: str) -> None:
    assert read_keys(f" {written} ") in ([KEY], [bytes(range(220, 252))])


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("hunter2", "the key is not 32 bytes in hexadecimal or base64: make one with openssl rand -hex 32"),
        (KEY.hex()[:-2], "the key is not 32 bytes"),
        (KEY.hex() + "!", "the key is not 32 bytes"),
        ("é" * 64, "the key is not 32 bytes"),
        (base64.b64encode(KEY + b"x").decode(), "the key is not 32 bytes"),
        (f"{KEY.hex()},", "key 2 of 2 is not 32 bytes"),
        (f"{KEY.hex()},{base64.b64encode(KEY).decode()}", "key 2 of 2 is there twice"),
        ("0" * 64, "the key is not random: make one with"),
    ],
)
def test_a_key_that_cannot_be_used_is_named_and_not_shown(written: str, said: str) -> None:
    with pytest.raises(ValueError, match=said) as caught:
        read_keys(written)
    assert "hunter2" not in str(caught.value)
    assert KEY.hex() not in str(caught.value)


def test_without_keys_nothing_is_sealed() -> None:
    assert isinstance(cipher_of(""), Unencrypted)
    assert cipher_of(f"{KEY.hex()},{OTHER.hex()}").ids == AesGcm([KEY, OTHER]).ids
    assert KEY.hex()[:8] not in AesGcm([KEY]).ids
