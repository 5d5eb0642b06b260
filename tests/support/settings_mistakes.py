"""Settings with mistakes."""

from collections.abc import Callable
from pathlib import Path

import pytest

from worker.errors import StartError
from worker.settings import load

Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    monkeypatch.chdir(tmp_path)

    def write_file(text: str) -> Path:
        path = Path("winback.toml")
        path.write_text(text, encoding="utf-8")
        return path

    return write_file


def problems(env: dict[str, str] | None = None) -> list[str]:
    with pytest.raises(StartError) as stopped:
        load(env or {})
    return str(stopped.value).splitlines()
