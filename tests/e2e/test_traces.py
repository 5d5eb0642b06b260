"""With real processes: the trace of an attempt, and a receiver of traces that hangs."""

from collections.abc import Iterator

import pytest

from tests.support.otlp_receiver import Receiver, otlp_receiver
from tests.support.running_shop import CART, CHECKOUT, Shop, jane, running_shop, until

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e_more")]
PERSONAL = (b"3001112233", b"Jane", b"sess_traced", b"example.com")


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with otlp_receiver() as found:
        yield found


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, receiver: Receiver) -> Iterator[Shop]:
    settings = {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url}
    with running_shop(tmp_path_factory.mktemp("shop"), **settings) as found:
        yield found


def abandon(shop: Shop, session: str, number: str) -> None:
    customer = jane(phone_number=number)
    shop.send(session, **CHECKOUT, customer=customer, cart=CART)
    until(lambda: any(one["body"]["session"]["session_id"] == session for one in shop.api.requests()))


def test_attempt_and_its_request_are_one_trace_without_personal_data(shop: Shop, receiver: Receiver) -> None:
    abandon(shop, "sess_traced_1", "+573001112233")
    until(
        lambda: (
            receiver.spans("request")
            and any(one.attributes["winback.outcome"] == "sent" for one in receiver.spans("attempt"))
        )
    )
    [request] = receiver.spans("request")
    [attempt] = [one for one in receiver.spans("attempt") if one.span_id == request.parent_id]
    assert request.attributes == {"winback.outcome": "Accepted", "http.response.status_code": 200}
    assert (attempt.attributes["winback.outcome"], attempt.attributes["winback.attempt"]) == ("sent", 1)
    assert attempt.role == "recover"
    until(lambda: sum(int(one.attributes["winback.events"]) for one in receiver.spans("ingest_batch")))
    assert {one.role for one in receiver.spans("ingest_batch")} == {"ingest"}
    until(lambda: sum(int(one.attributes["winback.outreaches"]) for one in receiver.spans("sweep")))
    assert not any(word in body for body in receiver.bodies for word in PERSONAL)


def test_receiver_that_hangs_delays_no_contact_and_no_stop(shop: Shop, receiver: Receiver) -> None:
    receiver.frozen.set()
    abandon(shop, "sess_traced_2", "+573001112234")
    assert len(shop.api.requests()) == 2
