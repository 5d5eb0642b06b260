import tomllib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.settings_mistakes import Write, problems, write
from worker.errors import StartError
from worker.settings import Settings, load
from worker.settings.keys import leaves, variable

__all__ = ["write"]  # fixtures


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('namespace = "a"\n[delivery\n', "winback.toml:2:10: not TOML: Expected ']' at the end of a table declaration"),
        ("a = 1\na = 2\n", "winback.toml:2:6: not TOML: Cannot overwrite a value"),
        ("[delivery]\nmode = shadow", "winback.toml:2:8: not TOML: Invalid value"),
        ('namespace = "a', "winback.toml:1:15: not TOML: Unterminated string"),
    ],
)
def test_broken_toml_is_one_line_with_file_line_and_column(write: Write, text: str, line: str) -> None:
    write(text)

    assert problems() == [line]


def test_a_file_that_is_no_text_or_cannot_be_read_is_one_line(write: Write, tmp_path: Path) -> None:
    write("").write_bytes(b"namespace = '\xff'")

    assert problems() == ["winback.toml: cannot be read as a settings file: it is not UTF-8 text"]
    assert problems({"WINBACK_CONFIG": str(tmp_path)}) == [
        f"{tmp_path}: cannot be read as a settings file: Is a directory"
    ]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('[delivery]\ntiemout = "3s"', "delivery.tiemout (winback.toml): unknown key; did you mean delivery.timeout?"),
        ('[delivry]\nmode = "live"', "delivry (winback.toml): unknown key; did you mean delivery?"),
        ("max_attempts = 3", "max_attempts (winback.toml): unknown key; did you mean delivery.max_attempts?"),
        (
            '[detection.idle_by_platform.andriod]\ncheckout = "9m"',
            "detection.idle_by_platform.andriod (winback.toml): unknown key; did you mean detection.idle_by_platform.a",
        ),
        (
            '[detection.idle_by_platform.web]\ncheckuot = "9m"',
            "detection.idle_by_platform.web.checkuot (winback.toml): unknown key; did you mean detection.idle_by_plat",
        ),
        (
            "xyzzy = 1",
            "xyzzy (winback.toml): unknown key; the winback.toml that comes with Winback lists all there are",
        ),
        ('_env_file = ".env"', "_env_file (winback.toml): unknown key; "),
        ('config = "other.toml"', "config (winback.toml): a file cannot name itself; set WINBACK_CONFIG"),
    ],
)
def test_an_unknown_key_is_named_with_what_was_probably_meant(write: Write, text: str, line: str) -> None:
    write(text)

    [problem] = problems()

    assert problem.startswith(line)


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("WINBACK_DELIVERY__TIEMOUT", "unknown variable; did you mean WINBACK_DELIVERY__TIMEOUT?"),
        ("WINBACK_DELIVERY_MODE", "unknown variable; did you mean WINBACK_DELIVERY__MODE?"),
        ("WINBACK_delivery__mode", "unknown variable; did you mean WINBACK_DELIVERY__MODE?"),
        ("WINBACK_XYZZY", "unknown variable; the winback.toml that comes with Winback lists all there are"),
        ("WINBACK_WORKER", "is a section, not a setting; set one of its keys, like WINBACK_WORKER__CONCURRENCY"),
    ],
)
def test_unknown_variable_is_named_with_a_suggestion(write: Write, name: str, advice: str) -> None:
    write("")

    assert problems({name: "hunter2"}) == [f"{name}: {advice}"]


def test_clashing_default_is_reported_with_both_values(write: Write) -> None:
    write('[delivery]\nbackoff_base = "1h"')

    assert problems() == ["delivery.backoff_cap: 15m must not be below delivery.backoff_base (1h)"]


def test_a_value_over_many_lines_stays_on_one(write: Write) -> None:
    write('namespace = """a\nb\u2028c\x1b"""'.replace("\x1b", "\\u001b"))

    assert problems() == [
        r"namespace (winback.toml): 'a\nb\u2028c\x1b' must be 1 to 32 characters, each a-z, 0-9, _ or -"
    ]


def test_all_problems_are_reported_at_once(write: Write) -> None:
    write('[delivery]\nmode = "loud"\n[flower]\nprot = 1\n')

    assert [line.partition(":")[0] for line in problems({"WINBACK_X": "", "WINBACK_WORKER__POOL": "swim"})] == [
        "WINBACK_X",
        "delivery.mode (winback.toml)",
        "WINBACK_WORKER__POOL",
        "flower.prot (winback.toml)",
    ]


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.dates() | st.times() | st.datetimes(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=3,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(path=st.sampled_from(list(leaves(Settings))), depth=st.integers(min_value=1, max_value=4), value=_VALUES)
def test_any_file_gives_settings_or_plain_lines(
    monkeypatch: pytest.MonkeyPatch, write: Write, path: tuple[str, ...], depth: int, value: object
) -> None:
    write("")
    tree: object = value
    for key in reversed(path[:depth]):
        tree = {key: tree}
    monkeypatch.setattr(tomllib, "loads", lambda _text: tree)

    for line in told({}):
        assert line
        assert line.isprintable()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(path=st.sampled_from(list(leaves(Settings))), value=st.text().filter(lambda text: "\0" not in text))
def test_any_variable_gives_settings_or_plain_lines(write: Write, path: tuple[str, ...], value: str) -> None:
    write("")

    for line in told({variable(path): value}):
        assert line
        assert line.isprintable()


def told(env: dict[str, str]) -> list[str]:
    try:
        load(env)
    except StartError as stopped:
        return str(stopped).split("\n")
    return []
