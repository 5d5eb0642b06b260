"""The order in which the files of a recording are read: by the time of their first event."""

from collections.abc import Sequence

from winback.tuning.files import STDIN, RecordingFile
from winback.tuning.lines import LineReader, Timed


def by_first_event(names: Sequence[str], reader: LineReader[Timed]) -> list[str]:
    """Return the names of files, sorted. With standard input, which can be read only once, they stay as they are.

    Raises:
        StartError: A file can't be read.
    """
    if len(names) < 2 or STDIN in names:  # noqa: PLR2004 - two can be in the wrong order
        return list(names)
    return sorted(names, key=lambda name: _first_ms(name, reader))


def _first_ms(name: str, reader: LineReader[Timed]) -> int:
    """Return the time of a file's first event (Unix ms); 0: it has none."""
    file = RecordingFile(name)
    try:
        for _, lines in file:
            for line in lines:
                event = reader.read(line)
                if not isinstance(event, str):
                    return event.at_ms
    finally:
        file.close()
    return 0
