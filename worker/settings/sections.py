"""The sections of the settings that belong to the processes themselves: ingest, recover, alarms, Flower."""

import re
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    SecretStr,
    field_validator,
)

from detectors.durations import Duration, OptionalDuration, within
from state.keys import MOST_STREAMS
from tasks.delivery.rate import Rate
from tasks.delivery.settings import Count
from tasks.policy.law.zone_files import not_a_zone, zone_name

MOST_BY_THREADS = 100
"""Requests per second of one process with threads; see `bench/attempts.py`."""
FEWEST_AT_A_TIME = 32


def _strip_secret(value: object) -> object:
    text = value.get_secret_value() if isinstance(value, SecretStr) else value
    return (text.strip() or None) if isinstance(text, str) else value


Secret = Annotated[SecretStr | None, BeforeValidator(_strip_secret)]
"""A secret without surrounding white space; an empty one counts as missing."""


def _read_optional_count(value: object) -> object:
    return None if isinstance(value, str) and value.strip() == "off" else value


OptionalCount = Annotated[
    Annotated[Count, Field(ge=2, le=1_000_000)] | None,
    BeforeValidator(_read_optional_count),
    PlainSerializer(lambda count: "off" if count is None else count),
]


class IngestSettings(BaseModel):
    """The `[ingest]` section.

    Attributes:
        streams: Over how many streams the shop spreads its events, at least; never fewer than there once were.
        batch: Events read and applied at a time.
        read_timeout: How long one read waits for events; below redis-py's socket timeout of 5 s.
        stale_after: An entry that its consumer hasn't applied for this long goes to another consumer.
        max_deliveries: An entry that was delivered more often is quarantined.
        bot_events_per_minute: More events of one session in a minute mark a bot; None: no bot detection.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    streams: Count = Field(default=1, ge=1, le=MOST_STREAMS)
    batch: Count = Field(default=2000, ge=1, le=10_000)
    read_timeout: Annotated[Duration, within("100ms", "4s")] = timedelta(seconds=2)
    stale_after: Annotated[Duration, within("1s", "1h")] = timedelta(seconds=60)
    max_deliveries: Count = Field(default=5, ge=1, le=100)
    bot_events_per_minute: OptionalCount = 120


class WorkerSettings(BaseModel):
    """The `[worker]` section: the pool of the recover worker.

    Attributes:
        pool: Threads of one process need a tenth of the memory; processes use all cores (`bench/attempts.py`).
        concurrency: Requests at a time.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    pool: Literal["threads", "prefork"] = "threads"
    concurrency: Count = Field(default=FEWEST_AT_A_TIME, ge=1, le=1000)

    def for_rate(self, rate: Rate | None) -> "WorkerSettings":
        """Return these settings with unset values chosen by the rate of requests; None: as many as possible.

        Up to 100 requests per second, one process sends with threads; above that, several processes share the work. The
        size covers the requests of one second, so that the rate is reached while Yuno takes up to a second to answer.
        """
        per_second = rate.burst if rate else MOST_BY_THREADS + 1
        pool = self.pool if "pool" in self.model_fields_set else _pool_for(per_second)
        needed = min(per_second, MOST_BY_THREADS) if pool == "threads" else FEWEST_AT_A_TIME
        chosen = {"pool": pool, "concurrency": max(FEWEST_AT_A_TIME, needed)}
        return self.model_copy(
            update={name: value for name, value in chosen.items() if name not in self.model_fields_set}
        )


def _pool_for(per_second: int) -> Literal["threads", "prefork"]:
    return "threads" if per_second <= MOST_BY_THREADS else "prefork"


class AlarmSettings(BaseModel):
    """The `[alarms]` section: how the processes watch each other.

    Attributes:
        check_interval: How often one of the roles runs all checks.
        repeat_interval: How often a firing alarm is logged again.
        backlog_limit: With more unapplied events than this, the stream counts as growing.
        no_events_after: Without an event for this long, once there were any, an alarm fires; None: never.
        lateness_limit: Median time between an event and its arrival above which an alarm fires; None: never.
        unreachable_rise: Percentage points over the usual share of unreachable sessions that are an alarm.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    check_interval: Annotated[Duration, within("100ms", "1m")] = timedelta(seconds=5)
    repeat_interval: Annotated[Duration, within("1s", "24h")] = timedelta(minutes=5)
    backlog_limit: Count = Field(default=100_000, ge=1, le=1_000_000_000)
    no_events_after: Annotated[OptionalDuration, within("1m", "30d")] = timedelta(hours=6)
    lateness_limit: Annotated[OptionalDuration, within("1s", "7d")] = timedelta(minutes=5)
    unreachable_rise: Count = Field(default=25, ge=1, le=100)


def _time_zone(text: str) -> str:
    """Return the IANA name that a text means, in any letter case."""
    if name := zone_name(text):
        return name
    raise ValueError(not_a_zone(text))


class ReportSettings(BaseModel):
    """The `[report]` section: how commands show times.

    Attributes:
        time_zone: The zone of the shop, as an IANA name. Reports count by its days, and times are
            shown in it next to UTC. The daily limit stays in UTC.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    time_zone: Annotated[str, AfterValidator(_time_zone)] = "UTC"


class FlowerSettings(BaseModel):
    """The `[flower]` section. Without `basic_auth` (`user:password`), a login is generated and printed."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, str_strip_whitespace=True)

    port: Count = Field(default=5555, ge=1, le=65535)
    address: str = "127.0.0.1"
    basic_auth: Secret = None
    max_tasks: Count = Field(default=10_000, ge=1, le=1_000_000)

    @field_validator("address")
    @classmethod
    def _is_an_address(cls, address: str) -> str:
        if not re.fullmatch(r"[0-9A-Za-z.:_-]+", address):
            raise ValueError("is not an address to listen on: write 127.0.0.1, ::1 or a host name")
        return address

    @field_validator("basic_auth")
    @classmethod
    def _has_both_parts(cls, secret: SecretStr | None) -> SecretStr | None:
        if secret is not None and not re.fullmatch(r"[^:\s]+:\S+", secret.get_secret_value()):
            raise ValueError("must be user:password, without spaces")
        return secret
