"""Lines from files and pipes."""

import io

from hypothesis import given
from hypothesis import strategies as st

from detectors.activity import MAX_EVENT_BYTES
from winback.operations.json_lines import JsonLine, batches, events


class Trickle:
    """A pipe that returns at most this many bytes at a time."""

    def __init__(self, data: bytes, size: int) -> None:
        self._data = io.BytesIO(data)
        self._size = size

    def read1(self, size: int, /) -> bytes:
        return self._data.read(min(size, self._size))


@given(
    st.lists(st.sampled_from([b"", b"{}", b"  ", b'{"a": 1}', b"\xef\xbb\xbf{}"])),
    st.integers(1, 9),
    st.sampled_from([b"", b"\n"]),
)
def test_lines_keep_their_numbers_however_they_trickle_in(lines: list[bytes], size: int, end: bytes) -> None:
    data = b"\r\n".join(lines) + end
    expected = [
        JsonLine(number, line.removeprefix(b"\xef\xbb\xbf")) for number, line in enumerate(lines, 1) if line.strip()
    ]

    assert [line for batch in batches(Trickle(data, size)) for line in batch] == expected
    assert [line for batch in events(Trickle(data, size)) for line in batch] == expected


def test_lines_are_handed_on_as_soon_as_they_are_there() -> None:
    source = batches(Trickle(b"one\ntwo\nthree\n", 4))

    assert next(source) == [JsonLine(1, b"one")]
    assert next(source) == [JsonLine(2, b"two")]


def test_of_an_endless_line_only_enough_is_kept_to_refuse_it() -> None:
    data = b"x" * 3_000_000 + b"\n{}\n"

    first, second = [line for batch in batches(io.BytesIO(data)) for line in batch]

    assert MAX_EVENT_BYTES < len(first.text) < 500_000
    assert second == JsonLine(2, b"{}")


def test_lines_after_a_broken_first_one_are_read() -> None:
    found = [line for batch in events(io.BytesIO(b'{"a":\n{}\n')) for line in batch]

    assert found == [JsonLine(1, b'{"a":'), JsonLine(2, b"{}")]
