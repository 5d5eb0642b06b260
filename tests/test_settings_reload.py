import os
import time
from datetime import timedelta
from pathlib import Path

import pytest

from worker.errors import StartError
from worker.settings import load, load_detection
from worker.settings.reload import DetectionReader


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "winback.toml"
    edit(path, '[detection.idle]\ncheckout = "20m"\n')
    return path


def edit(path: Path, text: str, *, ago: float = 60) -> None:
    path.write_text(text, encoding="utf-8")
    os.utime(path, (time.time() - ago,) * 2)


def test_only_detection_is_read_again(file: Path) -> None:
    edit(file, '[detection]\nexit = "9m"\n[delivery]\nmode = "broken"\nunknown = 1\n')

    assert load_detection(file, {"WINBACK_UNKNOWN": "1"}).exit == timedelta(minutes=9)


def test_the_environment_still_beats_the_file(file: Path) -> None:
    assert load_detection(file, {"WINBACK_DETECTION__IDLE__CHECKOUT": "30m"}).idle.checkout == timedelta(minutes=30)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[detection", ":1:11: not TOML"),
        ("detection = 5", "detection ({file}): 5 must be a section"),
        ("[detection]\nexti = '9m'", "detection.exti ({file}): unknown key; did you mean detection.exit?"),
        ("[detection.idle]\ncheckout = '9'", "detection.idle.checkout ({file}): '9' has no unit"),
    ],
)
def test_a_broken_edit_is_told_like_at_the_start(file: Path, text: str, line: str) -> None:
    edit(file, text)

    with pytest.raises(StartError) as stopped:
        load_detection(file, {})

    assert line.format(file=file) in str(stopped.value)


def test_an_edit_takes_effect_at_the_next_reading(file: Path) -> None:
    read = DetectionReader(load({}, file), {})
    before = read()
    edit(file, '[detection.idle]\ncheckout = "25m"\n')
    after = read()

    assert [(found.idle.checkout, problem) for found, problem in (before, after)] == [
        (timedelta(minutes=20), None),
        (timedelta(minutes=25), None),
    ]


def test_a_broken_edit_keeps_what_was_read_last_until_it_is_mended(file: Path) -> None:
    read = DetectionReader(load({}, file), {})
    edit(file, '[detection.idle]\ncheckout = "25"\n')
    kept, problem = read()
    edit(file, '[detection.idle]\ncheckout = "25m"\n')
    mended, nothing = read()

    assert kept.idle.checkout == timedelta(minutes=20)
    assert problem is not None
    assert "'25' has no unit" in problem
    assert mended.idle.checkout == timedelta(minutes=25)
    assert nothing is None


def test_a_file_that_vanished_does_not_bring_the_defaults_back(file: Path) -> None:
    read = DetectionReader(load({}, file), {})
    file.unlink()

    kept, problem = read()

    assert kept.idle.checkout == timedelta(minutes=20)
    assert problem is not None
    assert "no such file" in problem


def test_a_file_that_is_being_written_is_left_alone_until_it_is_still(file: Path) -> None:
    read = DetectionReader(load({}, file), {})
    edit(file, "", ago=0)
    while_written, _ = read()
    edit(file, "", ago=60)
    still, _ = read()

    assert while_written.idle.checkout == timedelta(minutes=20)
    assert still.idle.checkout == timedelta(minutes=15)


def test_without_a_file_the_environment_and_the_defaults_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    env = {"WINBACK_DETECTION__EXIT": "9m"}
    read = DetectionReader(load(env), env)

    assert read() == (load(env).detection, None)
