"""`winback collect check`."""

import json
from typing import Any

import pytest
from typer.testing import CliRunner

from storefronts.registry import SOURCES
from tests.storefronts.test_mangled import BODIES
from tests.support.storefront_bodies import SAMPLES, sample
from winback.cli import collect
from worker.errors import StartError

CHECKOUT: dict[str, Any] = sample("shopify_checkouts")["checkouts"][0]
PERSONAL = ("Norman", "bob.norman", "555-625-1199", "Jane", "jane.doe", "12345678", "recovered=1", "019mr8mf4r")


def check(body: object, *arguments: str) -> tuple[int, str]:
    text = body if isinstance(body, str) else json.dumps(body)
    result = CliRunner().invoke(collect.app, ["check", "-", *arguments], input=text, env={"NO_COLOR": "1"})
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout


def test_checkout_is_shown_as_event_masked() -> None:
    code, shown = check(CHECKOUT, "--source=shopify", "--topic=checkouts/update", "--shop=shop-a")
    assert code == 0
    assert shown.startswith("event: activity\n  session_id: 68778783ad298f1c80c3bafcddeea02f\n")
    for line in ("flow_stage: checkout", "customer.full_name: B** N***", "customer.phone_number: 555*******99"):
        assert f"  {line}\n" in shown
    assert shown.endswith("\n1 event\n")


@pytest.mark.parametrize("arguments", [(), ("--json",)])
@pytest.mark.parametrize(
    ("name", "source"),
    [("yuno_payment_v2", "yuno"), ("segment_batch", "segment"), ("woocommerce_order", "woocommerce")],
)
def test_personal_data_is_masked(name: str, source: str, arguments: tuple[str, ...]) -> None:
    code, shown = check((SAMPLES / f"{name}.json").read_text(encoding="utf-8"), f"--source={source}", *arguments)
    assert code == 0
    assert not [text for text in PERSONAL if text in shown]


def test_other_fields_of_own_events_are_not_shown() -> None:
    person = {"phone": "+573001234567", "mail": "jane.doe@example.com", "Full-Name": "Jane Doe"}
    order = {
        "sessionId": "s",
        "event": "Order Completed",
        **person,
        "buyer": person,
        "Customer": person,
        "cart": person,
    }
    exit_event = {"session_id": "s", "type": "exit", **person, "customer": person, "cart": person}
    code, shown = check([order, exit_event], "--source=events")
    assert code == 0
    assert "  session_id: s\n" in shown
    assert not [text for text in ("3001234567", "jane.doe", "Jane") if text in shown]


def test_json_lines_have_part_and_findings() -> None:
    body = [{"session_id": "s", "type": "exit"}, {"session_id": "s", "type": "exit", "occurred_at": 7}, 7]
    code, shown = check(body, "--source=events", "--json")
    exit_event, odd, rejected = map(json.loads, shown.splitlines())
    assert code == 0
    assert (exit_event["part"], exit_event["title"], exit_event["findings"]) == ("event", "exit", [])
    assert odd["findings"]
    assert (rejected["part"], rejected["place"]) == ("rejected", 2)


def test_own_event_without_its_session_is_rejected() -> None:
    code, shown = check({"type": "activity"}, "--source=events")
    assert code == 1
    assert shown.startswith("rejected: is no event that can be read\n  problem: session_id: is missing")
    assert shown.endswith("\n1 rejected\n")


def test_headers_of_an_envelope_are_read() -> None:
    body = {"type": "order.completed", "data": {"session_id": "s"}}
    _, shown = check(body, "--source=events", "--header=webhook-signature: v1,x", "--header=webhook-id: m-1")
    assert shown.startswith("event: order_completed\n  session_id: s\n")


def test_request_that_becomes_nothing_is_an_error() -> None:
    code, shown = check("{", "--source=segment")
    assert (code, shown) == (1, "ignored: is not valid JSON\n1 ignored\n")


def test_public_key_reports_less() -> None:
    order = {"session_id": "s", "type": "payment_declined"}
    _, shown = check(order, "--source=events", "--key=public")
    assert shown.startswith("event: activity\n")
    _, shown = check({"type": "delete", "userId": "u"}, "--source=segment", "--key=public")
    assert shown == "ignored: needs a server key\n1 ignored\n"


def test_stored_body_can_have_arrived_earlier() -> None:
    call = {"type": "page", "anonymousId": "a", "timestamp": "2026-11-22T16:39:50Z", "sentAt": "2026-11-22T16:39:59Z"}
    _, shown = check(call, "--source=segment", "--received=2026-11-22T16:40:00Z")
    assert "  occurred_at: 2026-11-22T16:39:50Z\n" in shown


def test_settings_of_a_source_are_options() -> None:
    call = {
        "type": "track",
        "event": "Checkout Step Viewed",
        "anonymousId": "a",
        "properties": {"step": 3, "ok": "yes"},
    }
    _, shown = check(call, "--source=segment", "--payment-step=3", "--consent=call=properties.ok")
    assert "  flow_stage: payment\n" in shown
    assert "  customer.consent.call: True\n" in shown
    page = {"type": "page", "anonymousId": "a", "properties": {"path": "/kasse/2"}}
    assert "  flow_stage: checkout\n" in check(page, "--source=segment", "--checkout-path=/kasse")[1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--source=shopfy"], "'shopfy' is no source"),
        (["--source=shopify"], "needs its topic"),
        (["--source=ga4", "--header=x"], "has no colon"),
        (["--source=ga4", "--received=yesterday"], "must be like"),
        (["--source=ga4", "--consent=sms=x"], "must be call=FIELD"),
        (["--source=ga4", "--consent=call"], "must be call=FIELD"),
    ],
)
def test_mistake_ends_in_one_line(arguments: list[str], message: str) -> None:
    with pytest.raises(StartError, match=message) as raised:
        check("{}", *arguments)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("source", SOURCES)
def test_every_source_can_be_checked(source: str) -> None:
    for body in BODIES[source]:
        _, shown = check(body, f"--source={source}", "--topic=orders/updated", "--json")
        assert all(json.loads(line)["part"] for line in shown.splitlines())
