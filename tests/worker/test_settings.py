import re
import tomllib
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from detectors.flow import PLATFORMS
from tasks.delivery.settings import DeliverySettings
from worker.errors import StartError
from worker.settings import LIVE_KEYS, Settings, load, require
from worker.settings.keys import leaves
from worker.settings.origins import sources
from worker.settings.sources import read_layers

ROOT = Path(__file__).parents[2]
COMMENTED = ROOT / "winback.toml"
Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write_file(text: str) -> Path:
        path = tmp_path / "winback.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write_file


def problems(env: dict[str, str] | None = None, config: Path | None = None) -> list[str]:
    with pytest.raises(StartError) as stopped:
        load(env or {}, config)
    return str(stopped.value).splitlines()


def test_the_commented_file_gives_exactly_the_defaults() -> None:
    assert load({}, COMMENTED) == Settings(config=COMMENTED)


def test_the_commented_file_lists_every_setting_there_is() -> None:
    text = COMMENTED.read_text(encoding="utf-8")
    everything = re.sub(r"^# (?=\[[A-Za-z_.]+\]$|[a-z_]+ = )", "", text, flags=re.MULTILINE)
    written = read_layers(Settings, {}, COMMENTED).from_file
    uncommented = tomllib.loads(everything)

    def listed(path: tuple[str, ...]) -> bool:
        place: object = uncommented
        for key in path:
            place = place.get(key) if isinstance(place, dict) else None
        return place is not None

    # The platforms share one example, as do the stages and the sources; the file's own path comes from outside.
    expected = [path for path in leaves(Settings) if path != ("config",)]
    expected = [tuple("ios" if key in PLATFORMS else key for key in path) for path in expected]
    expected = [(*path[:2], "payment", *path[3:]) if path[1:2] == ("by_stage",) else path for path in expected]
    expected = [(*path[:2], "segment", *path[3:]) if path[1:2] == ("consent",) else path for path in expected]
    assert [path for path in expected if not listed(path)] == []
    assert "redis_url" not in written
    assert all(platform in text for platform in PLATFORMS)
    assert "WINBACK_CONFIG" in text


def test_every_example_in_the_commented_file_can_be_used(write: Write) -> None:
    text = COMMENTED.read_text(encoding="utf-8")
    everything = re.sub(r"^# (?=\[[A-Za-z_.]+\]$|[a-z_]+ = )", "", text, flags=re.MULTILINE)
    everything = everything.replace("better as WINBACK_ENCRYPTION_KEYS", bytes(range(32)).hex())
    everything = everything.replace("better as WINBACK_OUTCOMES__WEBHOOK_SECRETS", "b2xkIG9sZCBvbGQgb2xkIG9sZCBvbGQh")
    everything = re.sub(r'"better as (WINBACK_\w+)"', '"user:password"', everything)

    settings = load({}, write(everything))

    assert settings.detection.idle_by_platform["ios"].checkout == timedelta(minutes=20)
    assert settings.in_flight == 128


def test_environment_beats_file_and_file_beats_defaults(write: Write) -> None:
    file = write('[delivery]\ntimeout = "20s"\nmax_attempts = 3\n[detection.idle_by_platform.web]\ncheckout = "20m"\n')
    env = {
        "WINBACK_DELIVERY__TIMEOUT": "10s",
        "WINBACK_DETECTION__IDLE_BY_PLATFORM__WEB__PAYMENT": "5m",
        "WINBACK_CONTACT__NEEDS_CART": "checkout, payment",
        "PATH": "/bin",
    }

    settings = load(env, file)

    assert settings.delivery.timeout == timedelta(seconds=10)
    assert settings.delivery.max_attempts == 3
    assert settings.delivery.mode == "shadow"
    assert settings.detection.idle_by_platform["web"].checkout == timedelta(minutes=20)
    assert settings.detection.idle_by_platform["web"].payment == timedelta(minutes=5)
    assert settings.contact.needs_cart == ("checkout", "payment")
    origins = sources(settings, env, file)
    assert origins["delivery.timeout"] == "WINBACK_DELIVERY__TIMEOUT"
    assert origins["delivery.max_attempts"] == str(file)
    assert origins["delivery.mode"] == "default"


def test_a_missing_file_is_fine_unless_it_was_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    assert load({}) == Settings()
    missing = tmp_path / "elsewhere.toml"
    line = f"{missing}: no such file: write it, or name another in WINBACK_CONFIG"
    assert problems({"WINBACK_CONFIG": str(missing)}) == [line]
    assert problems(config=missing) == [line]


def test_the_file_in_the_working_directory_is_read(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(write('namespace = "here"').parent)

    assert load({}).namespace == "here"


def test_a_file_with_a_byte_order_mark_is_read(write: Write) -> None:
    assert load({}, write('\ufeffnamespace = "here"')).namespace == "here"


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Settings().namespace = "other"  # type: ignore[misc]


def test_nothing_secret_is_in_the_text_of_the_settings() -> None:
    settings = load(
        {
            "WINBACK_REDIS_URL": "redis://:hunter2@h",
            "WINBACK_IDENTITY_SECRET": "hunter2hunter2hunter2",
            "WINBACK_DELIVERY__PRIVATE_SECRET_KEY": "hunter2",
            "WINBACK_FLOWER__BASIC_AUTH": "me:hunter2",
        }
    )

    assert "hunter2" not in repr(settings) + str(settings)


def test_white_space_pasted_with_a_key_is_dropped() -> None:
    settings = load(
        {"WINBACK_DELIVERY__PUBLIC_API_KEY": " pub\r\n", "WINBACK_DELIVERY__PRIVATE_SECRET_KEY": "pri\n vate"}
    )

    assert settings.delivery.public_api_key is not None
    assert settings.delivery.private_secret_key is not None
    assert settings.delivery.public_api_key.get_secret_value() == "pub"
    assert settings.delivery.private_secret_key.get_secret_value() == "private"


def test_an_empty_key_is_a_missing_one(write: Write) -> None:
    assert load({}, write('[delivery]\npublic_api_key = " "\n')).delivery.public_api_key is None


def test_the_lease_outlasts_the_attempt() -> None:
    assert DeliverySettings(timeout=timedelta(seconds=30)).lease == timedelta(seconds=70)


def test_as_many_are_in_flight_as_keep_four_for_each_slot_busy() -> None:
    assert load({"WINBACK_WORKER__CONCURRENCY": "10"}).in_flight == 40
    assert load({"WINBACK_DELIVERY__IN_FLIGHT": "3"}).in_flight == 3


def test_a_role_is_asked_for_what_it_needs_and_nothing_else() -> None:
    settings = load({"WINBACK_REDIS_URL": "redis://localhost"})

    require(settings, "redis_url", "broker_url")
    with pytest.raises(StartError) as stopped:
        require(settings, "redis_url", "identity_secret", *LIVE_KEYS)

    lines = str(stopped.value).splitlines()
    assert [line.partition(":")[0] for line in lines] == ["identity_secret", *LIVE_KEYS]
    assert "WINBACK_IDENTITY_SECRET" in lines[0]
    assert "WINBACK_DELIVERY__PUBLIC_API_KEY" in lines[1]
