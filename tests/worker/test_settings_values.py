"""A bad value of a setting is one line with the fix."""

import pytest

from tests.support.settings_mistakes import Write, problems, write
from worker.settings.keys import variable

__all__ = ["write"]  # fixtures


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
def test_bad_value_is_one_line_with_its_key_and_a_fix(write: Write, key: str, value: str, advice: str) -> None:
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
