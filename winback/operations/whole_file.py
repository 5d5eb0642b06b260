"""Files that are written whole or not at all."""

import os
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile

from worker.errors import StartError


def write_whole(option: str, path: Path, content: bytes) -> None:
    """Write a file, or leave an earlier one as it is if that is interrupted. `option`: named in errors.

    Raises:
        StartError: The file can't be written.
    """
    unfinished = ""
    try:
        with NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
            unfinished = file.name
            file.write(content)
        Path(unfinished).chmod(0o666 & ~_umask())
        Path(unfinished).replace(path)
    except OSError as problem:
        raise StartError(f"{option} {path}: can't be written: {(problem.strerror or 'unknown').lower()}") from None
    finally:
        with suppress(OSError):
            Path(unfinished).unlink(missing_ok=True)


def _umask() -> int:
    before = os.umask(0)
    os.umask(before)
    return before
