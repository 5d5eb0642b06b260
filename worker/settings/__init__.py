"""The settings of all processes: one frozen object, built once in the entry point and passed down."""

import os
import re
from collections.abc import Mapping
from pathlib import Path

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, InitSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from detectors.json_values import JsonValue
from detectors.settings import DetectionSettings
from state.cipher import read_keys
from tasks.delivery.settings import DeliverySettings
from tasks.outcomes.settings import OutcomeSettings
from tasks.policy.experiment import ExperimentSettings
from tasks.policy.law.table import LawError, table
from tasks.policy.settings import ContactSettings
from worker.collector.settings import CollectSettings
from worker.errors import StartError
from worker.recorder.settings import RecordSettings
from worker.settings.errors import explain, missing, unknown_variables
from worker.settings.hints import HINTS
from worker.settings.keys import LEVEL, PREFIX
from worker.settings.sections import (
    AlarmSettings,
    FlowerSettings,
    IngestSettings,
    ReportSettings,
    Secret,
    WorkerSettings,
)
from worker.settings.sources import DEFAULT_FILE, read_layers
from worker.settings.tuning import TuningSettings
from worker.settings.urls import check_broker_url, check_redis_url, derived_broker_url

__all__ = [
    "LIVE_KEYS",
    "AlarmSettings",
    "FlowerSettings",
    "IngestSettings",
    "ReportSettings",
    "Settings",
    "WorkerSettings",
    "load",
    "require",
]

LIVE_KEYS = ("delivery.public_api_key", "delivery.private_secret_key")
"""Further keys that the recover role needs in live mode."""

_NAMESPACE = re.compile(r"[a-z0-9_-]{1,32}")
_SHORTEST_SECRET = 16
_REPLICAS = "0123456789"


class Settings(BaseSettings):
    """All settings. `load` reads them; constructing one directly reads neither file nor environment.

    Attributes:
        redis_url: The state server; None if not given (`require` it where needed).
        broker_url: Celery's broker; by default database 1 of the state server.
        redis_replicas: How many replicas must acknowledge an attempt before its request; None: a majority of the
            current ones.
        namespace: The prefix of every Redis key.
        identity_secret: The key under which phone numbers become identities.
        encryption_keys: The keys that encrypt personal data in Redis, separated by commas; the first one encrypts.
        config: The file that was read.
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter=LEVEL,
        enable_decoding=False,
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        str_strip_whitespace=True,
    )

    redis_url: str | None = Field(default=None, repr=False)
    broker_url: str | None = Field(default=None, repr=False)
    redis_replicas: int | None = None
    namespace: str = "winback"
    identity_secret: Secret = None
    encryption_keys: Secret = None
    config: Path = DEFAULT_FILE
    detection: DetectionSettings = DetectionSettings()
    delivery: DeliverySettings = DeliverySettings()
    contact: ContactSettings = ContactSettings()
    experiment: ExperimentSettings = ExperimentSettings()
    ingest: IngestSettings = IngestSettings()
    collect: CollectSettings = CollectSettings()
    outcomes: OutcomeSettings = OutcomeSettings()
    record: RecordSettings = RecordSettings()
    worker: WorkerSettings = Field(default=WorkerSettings(), validate_default=True)
    alarms: AlarmSettings = AlarmSettings()
    report: ReportSettings = ReportSettings()
    tuning: TuningSettings = TuningSettings()
    flower: FlowerSettings = FlowerSettings()

    @property
    def in_flight(self) -> int:
        """How many outreaches can be leased at a time: `delivery.in_flight`, else 4 for each slot of the worker."""
        return self.delivery.in_flight or 4 * self.worker.concurrency

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only take the given values: `load` has merged them, with the source of each."""
        del settings_cls, env_settings, dotenv_settings, file_secret_settings
        return (init_settings,)

    @field_validator("redis_url")
    @classmethod
    def _state_is_redis(cls, url: str | None) -> str | None:
        return check_redis_url(url) if url else None

    @field_validator("broker_url")
    @classmethod
    def _broker_is_set_or_derived(cls, url: str | None, info: ValidationInfo) -> str | None:
        if url:
            return check_broker_url(url)
        state: str | None = info.data.get("redis_url")
        return derived_broker_url(state) if state else None

    @field_validator("redis_replicas", mode="before")
    @classmethod
    def _replicas_are_counted(cls, number: object) -> int | None:
        if number is None or number == "auto":
            return None
        if isinstance(number, bool) or str(number) not in set(_REPLICAS):
            raise ValueError(f"must be auto or a number from 0 to {_REPLICAS[-1]}")
        return int(str(number))

    @field_validator("namespace")
    @classmethod
    def _namespace_fits_keys(cls, namespace: str) -> str:
        if not _NAMESPACE.fullmatch(namespace):
            raise ValueError("must be 1 to 32 characters, each a-z, 0-9, _ or -")
        return namespace

    @field_validator("worker")
    @classmethod
    def _pool_fits_the_rate(cls, worker: WorkerSettings, info: ValidationInfo) -> WorkerSettings:
        delivery: DeliverySettings | None = info.data.get("delivery")
        return worker.for_rate(delivery.rate) if delivery else worker

    @field_validator("experiment")
    @classmethod
    def _experiment_can_compare(cls, experiment: ExperimentSettings, info: ValidationInfo) -> ExperimentSettings:
        return experiment.checked_with(info.data.get("contact"))

    @field_validator("identity_secret")
    @classmethod
    def _secret_is_long_enough(cls, secret: SecretStr | None) -> SecretStr | None:
        if secret is not None and len(secret.get_secret_value()) < _SHORTEST_SECRET:
            raise ValueError(f"has fewer than {_SHORTEST_SECRET} characters: make one with openssl rand -hex 32")
        return secret

    @field_validator("encryption_keys")
    @classmethod
    def _keys_can_be_used(cls, keys: SecretStr | None) -> SecretStr | None:
        if keys is not None:
            read_keys(keys.get_secret_value())
        return keys


def load(env: Mapping[str, str] | None = None, config: Path | None = None) -> Settings:
    """Return the settings: the environment over the file over the defaults.

    Args:
        env: The environment; None: the process's.
        config: The file; None: `WINBACK_CONFIG`, else `winback.toml` in the working directory, if it exists.

    Raises:
        StartError: One line for each unknown key or variable, bad value, or unreadable file.
    """
    env = os.environ if env is None else env
    problems = list(unknown_variables(env, Settings))
    try:
        layers = read_layers(Settings, env, config)
    except StartError as broken:
        raise StartError("\n".join([*problems, str(broken)])) from None
    if "config" in layers.from_file:
        problems.append(f"config ({layers.file}): a file cannot name itself; set WINBACK_CONFIG")
    values = InitSettingsSource(Settings, layers.merged() | {"config": layers.file})
    try:
        settings = Settings(_build_sources=((values,), {}))
    except ValidationError as error:
        problems += explain(error, layers, Settings)
    try:
        table()
    except LawError as broken:
        problems.append(str(broken))
    if problems:
        raise StartError("\n".join(problems))
    return settings


def require(settings: Settings, *keys: str) -> None:
    """Require settings without which a role can't start, like `require(settings, "redis_url", "identity_secret")`.

    Raises:
        StartError: One line for each missing key, with the fix.
    """
    lines = []
    for key in keys:
        path = tuple(key.split("."))
        value: JsonValue = settings
        for name in path:
            value = getattr(value, name)
        if value is None:
            lines.append(missing(path, HINTS.get(key, "")))
    if lines:
        raise StartError("\n".join(lines))
