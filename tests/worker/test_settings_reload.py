import os
import time
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from detectors.settings import DetectionSettings
from worker.errors import StartError
from worker.settings import load
from worker.settings.reload import DetectionReader, load_detection


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
def test_broken_edit_is_reported_like_at_the_start(file: Path, text: str, line: str) -> None:
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


def test_broken_edit_keeps_the_last_settings_until_fixed(file: Path) -> None:
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


def test_file_being_written_is_not_read(file: Path) -> None:
    read = DetectionReader(load({}, file), {})
    edit(file, '[detection.idle]\ncheckout = "15m"\n', ago=0)
    while_written, _ = read()
    edit(file, '[detection.idle]\ncheckout = "15m"\n', ago=60)
    still, _ = read()

    assert while_written.idle.checkout == timedelta(minutes=20)
    assert still.idle.checkout == timedelta(minutes=15)


def test_without_a_file_the_environment_and_the_defaults_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    env = {"WINBACK_DETECTION__EXIT": "9m"}
    read = DetectionReader(load(env), env)

    assert read() == (load(env).detection, None)


LONG = """\
[detection]
exit = "6h"
[detection.idle]
checkout = "6h"
payment = "6h"
[detection.idle_by_platform.ios]
checkout = "6h"
"""


@pytest.mark.parametrize("lines", range(7))
def test_a_file_that_was_cut_off_keeps_the_thresholds(file: Path, lines: int) -> None:
    edit(file, LONG)
    read = DetectionReader(load({}, file), {})
    edit(file, "".join(LONG.splitlines(keepends=True)[:lines]))
    kept, problem = read()

    assert kept == load_detection_of(LONG, file)
    assert problem is not None
    assert "detection.idle_by_platform.ios.checkout" in problem
    assert "missing now" in problem
    assert "\n" not in problem


def load_detection_of(text: str, file: Path) -> DetectionSettings:
    other = file.with_name("other.toml")
    edit(other, text)
    return load_detection(other, {})


@given(at=st.integers(0, len(LONG) - 1))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_cut_of_a_file_changes_a_threshold(file: Path, at: int) -> None:
    edit(file, LONG)
    read = DetectionReader(load({}, file), {})
    before, _ = read()
    edit(file, LONG[:at])
    kept, problem = read()

    assert kept == before
    assert problem is not None or LONG[at:].strip() == ""


def test_a_key_that_is_back_is_used_again(file: Path) -> None:
    read = DetectionReader(load({}, file), {})
    edit(file, "")
    _, problem = read()
    edit(file, '[detection.idle]\ncheckout = "15m"\n')
    mended, nothing = read()

    assert problem is not None
    assert (mended.idle.checkout, nothing) == (timedelta(minutes=15), None)


def test_a_key_that_a_variable_sets_may_leave_the_file(file: Path) -> None:
    env = {"WINBACK_DETECTION__IDLE__CHECKOUT": "30m"}
    read = DetectionReader(load(env, file), env)
    edit(file, "")

    assert read() == (load(env, file).detection, None)


def test_a_key_that_was_added_and_left_is_missed(file: Path) -> None:
    read = DetectionReader(load({}, file), {})
    edit(file, '[detection]\nexit = "9m"\n[detection.idle]\ncheckout = "20m"\n')
    read()
    edit(file, '[detection.idle]\ncheckout = "20m"\n')
    kept, problem = read()

    assert kept.exit == timedelta(minutes=9)
    assert "detection.exit" in (problem or "")


DEEP = 5_000
ODD: dict[str, tuple[bytes, str]] = {
    "brackets": (b"detection = " + b"[" * DEEP + b"]" * DEEP, "nested too deeply"),
    "open brackets": (b"detection = " + b"[" * DEEP, "nested too deeply"),
    "tables": (b"a = " + b"{a=" * DEEP + b"1" + b"}" * DEEP, "nested too deeply"),
    "dotted keys": (b".".join([b"a"] * DEEP) + b" = 1", "nested too deeply"),
    "dotted header": (b"[" + b".".join([b"detection"] * DEEP) + b"]", "nested too deeply"),
    "binary": (bytes(range(256)), "not UTF-8"),
    "zeros": (b"\0" * 4096, "not TOML"),
    "UTF-16": ('[detection]\nexit = "9m"\n'.encode("utf-16"), "not UTF-8"),
    "huge": (b"#" * (2**20 + 1), "more than 1 MB"),
    "digits": (b"[detection]\nexit = " + b"1" * 5_000, "not TOML"),
}


@pytest.mark.parametrize("name", ODD)
def test_an_odd_file_is_one_line_at_the_start_and_kept_out(file: Path, name: str) -> None:
    content, words = ODD[name]
    read = DetectionReader(load({}, file), {})
    file.write_bytes(content)
    os.utime(file, (time.time() - 60,) * 2)
    with pytest.raises(StartError, match=words) as stopped:
        load({}, file)
    kept, problem = read()

    assert len(str(stopped.value).splitlines()) == 1
    assert len(str(stopped.value)) < 500
    assert kept.idle.checkout == timedelta(minutes=20)
    assert words in (problem or "")


def test_a_pipe_is_not_waited_for(file: Path) -> None:
    read = DetectionReader(load({}, file), {})
    file.unlink()
    os.mkfifo(file)
    os.utime(file, (time.time() - 60,) * 2)
    kept, problem = read()

    assert kept.idle.checkout == timedelta(minutes=20)
    assert "it is a pipe" in (problem or "")


def test_a_folder_in_place_of_the_file_is_kept_out(file: Path) -> None:
    read = DetectionReader(load({}, file), {})
    file.unlink()
    file.mkdir()
    os.utime(file, (time.time() - 60,) * 2)

    assert "Is a directory" in (read()[1] or "")
