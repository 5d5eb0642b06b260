"""The meaning of a reply for all other requests."""

from datetime import timedelta

import pytest

from state.sending_control import Health
from tasks.delivery import yuno
from tasks.delivery.breaker import asked_pause_ms, not_delivered, verdict
from tasks.delivery.sending_limits import limits_of
from tasks.delivery.settings import DeliverySettings


@pytest.mark.parametrize(
    ("reply", "health"),
    [
        (yuno.Accepted(200), "works"),
        (yuno.Rejected("http_400.INVALID_REQUEST"), "works"),
        (yuno.Rejected("http_404"), "works"),
        (yuno.TryAgain("http_409"), "works"),
        (yuno.TryAgain("http_423"), "works"),
        (yuno.TryAgain("http_408"), "failing"),
        (yuno.TryAgain("http_421"), "failing"),
        (yuno.TryAgain("http_425"), "failing"),
        (yuno.TryAgain("closed_unread"), "failing"),
        (yuno.TryAgain("http_400.REQUEST_IN_PROCESS"), "works"),
        (yuno.Undecided("http_400.IDEMPOTENCY_DUPLICATED"), "works"),
        (yuno.Rejected("http_302"), "failing"),
        (yuno.TryAgain("http_429"), "failing"),
        (yuno.TryAgain("http_429.TOO_MANY"), "failing"),
        (yuno.TryAgain("http_500"), "failing"),
        (yuno.Undecided("http_502"), "failing"),
        (yuno.TryAgain("connect_error"), "failing"),
        (yuno.Undecided("read_timeout"), "failing"),
        (yuno.TryAgain("too_late", counted=False), None),
        (yuno.Unauthorised("http_401"), "refused"),
        (yuno.Unauthorised("http_403"), "refused"),
    ],
)
def test_the_api_works_when_it_answers_2xx_or_4xx(reply: yuno.Reply, health: Health | None) -> None:
    assert verdict(reply) == health


@pytest.mark.parametrize(
    ("reply", "asked_ms"),
    [
        (yuno.TryAgain("http_429", timedelta(seconds=2)), 2000),
        (yuno.TryAgain("http_503", timedelta(seconds=2)), 2000),
        (yuno.TryAgain("http_503", timedelta(seconds=-2)), 0),
        (yuno.TryAgain("http_503"), 0),
        (yuno.TryAgain("http_409", timedelta(seconds=2)), 0),
        (yuno.TryAgain("http_500", timedelta(seconds=2)), 0),
        (yuno.Accepted(200), 0),
    ],
)
def test_busy_server_can_pause_all_workers(reply: yuno.Reply, asked_ms: int) -> None:
    assert asked_pause_ms(reply) == asked_ms


def test_only_what_may_have_arrived_may_have_been_a_contact() -> None:
    unsure = (yuno.Accepted(200), yuno.Undecided("http_504"))
    sure = (yuno.TryAgain("http_500"), yuno.Rejected("http_404"), yuno.Unauthorised("http_401"))
    assert [not_delivered(reply) for reply in (*unsure, *sure)] == [False, False, True, True, True]


def test_the_limits_are_those_of_the_settings() -> None:
    settings = {"mode": "live", "rate": "90/m", "max_per_day": "500", "breaker_failures": 7, "breaker_pause": "10s"}
    found = limits_of(DeliverySettings.model_validate(settings))
    assert (found.interval_us, found.burst, found.max_per_day) == (666_667, 2, 500)
    assert (found.failures, found.pause_ms, found.longest_pause_ms) == (7, 10_000, 160_000)
    assert found.attempt_ms == 70_000


def test_where_nothing_is_sent_nothing_is_limited() -> None:
    found = limits_of(DeliverySettings.model_validate({"rate": "1/h", "max_per_day": 1}))
    assert (found.interval_us, found.max_per_day) == (0, 0)


def test_what_is_off_limits_nothing() -> None:
    settings = {"mode": "live", "rate": "off", "max_per_day": "off", "breaker_failures": "off"}
    found = limits_of(DeliverySettings.model_validate(settings))
    assert (found.interval_us, found.max_per_day, found.failures) == (0, 0, 0)
