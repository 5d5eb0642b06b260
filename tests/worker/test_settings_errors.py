import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from worker.errors import StartError
from worker.settings import Settings, load
from worker.settings.keys import leaves, variable

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
def test_an_unknown_variable_is_named_with_what_was_probably_meant(write: Write, name: str, advice: str) -> None:
    write("")

    assert problems({name: "hunter2"}) == [f"{name}: {advice}"]


@pytest.mark.parametrize(
    ("key", "value", "advice"),
    [
        ("delivery.timeout", "30", "'30' has no unit: write 30s, 30m or 30h (units: ms, s, m, h, d)"),
        ("delivery.timeout", "6m", "'6m' must be between 1ms and 5m"),
        ("delivery.backoff_cap", "4s", "'4s' must not be below delivery.backoff_base (5s)"),
        ("delivery.mode", "Live", "'Live' is not known here: write 'shadow' or 'live'"),
        ("delivery.max_attempts", "0", "'0' must be at least 1"),
        ("delivery.max_attempts", "many", "'many' is not a whole number"),
        ("delivery.max_attempts", "1.5", "'1.5' is not a whole number"),
        ("delivery.public_api_key", "kéy", "holds a character at position 2 that no key has: copy it again"),
        ("detection.idle.payment", "7d", "'7d' must be below 7d, when Redis forgets a silent session"),
        ("detection.idle_by_platform.ios.payment", "0s", "'0s' must be longer than zero"),
        ("detection.exit", "on", "'on' is not a duration: write a whole number and its unit, like 250ms, 90s, 15m, 2h"),
        ("detection.sweep_interval", "50ms", "'50ms' must be between 100ms and 5m"),
        (
            "contact.needs_cart",
            "payment,basket",
            "'basket' is not known here: write 'product_selection', 'cart_review'",
        ),
        ("contact.needs_cart", "[payment", "'[payment' is not a list: write product_selection,cart_review"),
        (
            "contact.block.internal_domains",
            "shop.com,com",
            "'shop.com,com' entry 2 of the list is not an e-mail domain: write shop.com",
        ),
        (
            "contact.block.bot_addresses",
            "shop.com",
            "'shop.com' entry 1 of the list is not an e-mail address: write qa@shop.com or qa+*@shop.com",
        ),
        (
            "contact.block.bot_addresses",
            "*@*",
            "'*@*' entry 1 of the list matches every address: write qa@shop.com or qa+*@shop.com",
        ),
        (
            "contact.block.internal_numbers",
            "3001234567",
            "'3001234567' entry 1 of the list is not a number with its country: write +573001234567, +5730012345*",
        ),
        (
            "contact.block.internal_numbers",
            "+57*",
            "'+57*' entry 1 of the list names too many numbers: give at least 5 digits",
        ),
        (
            "contact.block.bot_numbers",
            "+573001234599-+573001234500",
            "'+573001234599-+573001234500' entry 1 of the list is not a range: both numbers need as many digits",
        ),
        ("contact.block.internal_names", "x", "'x' entry 1 of the list is not a name: write it in full, like Jane Doe"),
        ("contact.block.allow", "[shop.com", "'[shop.com' is not a list: write shop.com,ceo@shop.com,+573001234567"),
        ("contact.block.default", "no", "'no' is not known here: write 'on' or 'off'"),
        ("redis_replicas", "some", "'some' must be auto or a number from 0 to 9"),
        ("worker.concurrency", "1001", "'1001' must be at most 1000"),
        ("namespace", "Shop 1", "'Shop 1' must be 1 to 32 characters, each a-z, 0-9, _ or -"),
        ("encryption_keys", "hunter2", "the key is not 32 bytes in hexadecimal or base64: make one with openssl rand"),
        ("identity_secret", "hunter2", "has fewer than 16 characters: make one with openssl rand -hex 32"),
        ("flower.basic_auth", "hunter2", "must be user:password, without spaces"),
        ("flower.address", "localhost:5555/", "'localhost:5555/' is not an address to listen on"),
    ],
)
def test_a_bad_value_is_one_line_with_its_variable_or_key_and_what_to_write(
    write: Write, key: str, value: str, advice: str
) -> None:
    section, _, name = key.rpartition(".")
    write(f"[{section}]\n{name} = '{value}'" if section else f"{name} = '{value}'")
    [from_file] = problems()
    write("")
    [from_env] = problems({variable(tuple(key.split("."))): value})

    assert from_file.startswith(f"{key} (winback.toml): {advice}")
    assert from_env.startswith(f"{variable(tuple(key.split('.')))}: {advice}")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[delivery]\nmax_attempts = true", "delivery.max_attempts (winback.toml): True is not a whole number"),
        ("[delivery]\ntimeout = 30", "delivery.timeout (winback.toml): 30 has no unit: write 30s, 30m or 30h"),
        ("[delivery]\ntimeout = 00:30:00", "delivery.timeout (winback.toml): datetime.time(0, 30) is not a duration"),
        (
            "[delivery]\nprivate_secret_key = 12345678",
            "delivery.private_secret_key (winback.toml): must be text in quotes",
        ),
        (
            "delivery = 5",
            "delivery (winback.toml): 5 must be a section: write its name in [brackets] and its keys below",
        ),
        ("[[delivery]]\nprivate_secret_key = 'hunter2'", "delivery (winback.toml): must be a section"),
        ("namespace = ['hunter2']", "namespace (winback.toml): must be text in quotes"),
        ("[detection]\nidle_by_platform = 5", "detection.idle_by_platform (winback.toml): 5 must be a section"),
        (
            "[contact]\nneeds_cart = 5",
            'contact.needs_cart (winback.toml): 5 must be a list, like ["product_selection"]',
        ),
    ],
)
def test_a_value_of_the_wrong_kind_is_one_line(write: Write, text: str, line: str) -> None:
    write(text)

    [problem] = problems({"WINBACK_DELIVERY__ON_UNKNOWN": "park"})

    assert problem.startswith(line)
    assert "hunter2" not in problem


def test_a_default_that_clashes_with_what_was_given_is_told_with_both(write: Write) -> None:
    write('[delivery]\nbackoff_base = "1h"')

    assert problems() == ["delivery.backoff_cap: 15m must not be below delivery.backoff_base (1h)"]


def test_a_value_over_many_lines_stays_on_one(write: Write) -> None:
    write('namespace = """a\nb\u2028c\x1b"""'.replace("\x1b", "\\u001b"))

    assert problems() == [
        r"namespace (winback.toml): 'a\nb\u2028c\x1b' must be 1 to 32 characters, each a-z, 0-9, _ or -"
    ]


def test_all_problems_are_told_at_once(write: Write) -> None:
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
def test_whatever_stands_in_the_file_it_is_settings_or_plain_lines(
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
def test_whatever_stands_in_a_variable_it_is_settings_or_plain_lines(
    write: Write, path: tuple[str, ...], value: str
) -> None:
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
