"""`winback event check`: what it says about which event."""

import json
import re

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from detectors.activity import MAX_EVENT_BYTES
from detectors.parsing import parse
from detectors.session_fields import REQUIRED, fields_of
from tasks.delivery.payload import Built, build
from winback.cli import event
from winback.operations.event_check import check
from winback.operations.field_suggestions import suggestion

SEED = {
    "type": "activity",
    "session_id": "sess_abc123xyz",
    "occurred_at": "2025-05-13T22:45:00Z",
    "flow_stage": "checkout",
    "platform": "web",
    "customer": {"full_name": "Jane Doe", "phone_number": "+573001234567", "country_code": "CO", "language": "es"},
    "cart": {"total_value": 149.99, "currency": "COP", "items": [{"name": "Headphones", "sku": "WH", "quantity": 1}]},
}
EXPLANATION = re.compile(r"(line \d+: )?(no request: |request \{|\S+ (.* )?\u2192 |\w+ was read |\S+ is taken )")
SOUND = {"session_id": "s", "type": "exit"}
NO_COUNTRY = "is not a country of ISO 3166-1 (CO, COL, Colombia)"
UNREACHABLE = "applied, but the shopper can't be contacted until another event brings a valid one"
SIGN_OF_LIFE = "the event would only say that the shopper is still there"


def run(*options: str, stdin: str | bytes = "") -> Result:
    app = typer.Typer()
    app.command()(event.check)
    return CliRunner().invoke(app, options, input=stdin, catch_exceptions=False)


def checked(*documents: object, options: tuple[str, ...] = ()) -> Result:
    lines = "\n".join(one if isinstance(one, str) else json.dumps(one) for one in documents)
    return run("-", *options, stdin=lines)


def findings(done: Result) -> list[str]:
    """The lines about problems and warnings: without how the event was read, and the request."""
    return [line for line in done.stdout.splitlines()[:-1] if not EXPLANATION.match(line)]


def told(*documents: object) -> list[str]:
    return findings(checked(*documents))


def test_an_event_without_fault_is_fine() -> None:
    done = checked(SEED)

    assert (done.exit_code, findings(done)) == (0, [])
    assert done.stdout.splitlines()[-1] == "1 event, 0 problems, 0 warnings"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"cart": {"items": [{"quantity": "two"}]}},
            ("cart.items.0.quantity: must be a whole number; the event would be applied without its cart"),
        ),
        (
            {"platform": "tv"},
            "platform: must be 'web', 'ios' or 'android'; the event would be applied without its",
        ),
        ({"flow_stage": None}, f"flow_stage: is missing; an activity needs flow_stage and platform; {SIGN_OF_LIFE}"),
        ({"session_id": None}, "session_id is missing; the event would be rejected"),
        (
            {"type": "shopping"},
            f"type: names no type of event; it was read as a sign of life of its session; {SIGN_OF_LIFE}",
        ),
        (
            {"session_id": None, "type": "opt_out", "customer": {"phone_number": "12"}},
            (
                "customer.phone_number: is not a valid number, and without a session_id or an email the event names "
                "nobody; the event would be rejected"
            ),
        ),
    ],
)
def test_a_problem_names_line_field_reason_and_what_would_become_of_the_event(
    changes: dict[str, object], said: str
) -> None:
    document = {key: value for key, value in {**SEED, **changes}.items() if value is not None}

    done = checked(SOUND, SOUND, document)

    assert done.exit_code == 1
    (line,) = findings(done)
    assert line.startswith(f"line 3: {said}")


def test_a_line_that_is_no_json_object_is_a_problem() -> None:
    assert told("{", "[1]", json.dumps("x" * MAX_EVENT_BYTES)) == [
        "line 1: is not valid JSON; the event would be rejected",
        "line 2: is not a JSON object; the event would be rejected",
        f"line 3: the event has {MAX_EVENT_BYTES + 1} bytes, more than {MAX_EVENT_BYTES}; the event would be rejected",
    ]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"custmer": {}}, "custmer: is not a field of an event; it would be ignored; did you mean customer?"),
        ({"basket": {}}, "basket: is not a field of an event; it would be ignored"),
        (
            {"customer": {"phone_number": "3001234567"}},
            f"customer.country_code: is missing next to a number without +; {UNREACHABLE}",
        ),
        (
            {"customer": {"phone_number": "+38344123456"}},
            f"customer.country_code: is missing, and the number is of no country; {UNREACHABLE}",
        ),
        ({"customer": {"full_name": "Guest"}}, f"customer.full_name: is no name of a person; {UNREACHABLE}"),
        (
            {"customer": {"phone_number": "30012", "country_code": "Colombia"}},
            f"customer.phone_number: is not a valid number in CO; {UNREACHABLE}",
        ),
        ({"customer": {"phone_number": None}}, f"customer.phone_number: is empty; {UNREACHABLE}"),
        ({"customer": {"full_name": " \u0007"}}, f"customer.full_name: is no name of a person; {UNREACHABLE}"),
        ({"customer": {"full_name": ""}}, f"customer.full_name: is empty; {UNREACHABLE}"),
        (
            {"customer": {"phone_number": "+573001234567", "country_code": "Columbia"}},
            f"customer.country_code: {NO_COUNTRY}; the country of the phone number would be used",
        ),
        (
            {"customer": {"phone_number": "+38344123456", "country_code": "Columbia"}},
            f"customer.country_code: {NO_COUNTRY}; {UNREACHABLE}",
        ),
        (
            {"customer": {"phone_number": "3001234567", "country_code": "Columbia"}},
            f"customer.country_code: {NO_COUNTRY}; {UNREACHABLE}",
        ),
        (
            {"customer": {"country_code": "Columbia"}},
            (
                f"customer.country_code: {NO_COUNTRY}; "
                "the country of the phone number would be used, if that begins with +"
            ),
        ),
        (
            {"type": "opt_out", "customer": {"phone_number": "30012", "country_code": "CO"}},
            "customer.phone_number: is not a valid number; the event would count for its session alone",
        ),
        (
            {"type": "order_completed", "customer": {"phone_number": "3001234567"}},
            "customer.phone_number: is not a valid number; the event would count for its session alone",
        ),
        (
            {"customer": {"email": "jane.example.com"}},
            "customer.email: is not an e-mail address; the request would go out without it",
        ),
        (
            {"customer": {"language": "klingonish"}},
            "customer.language: is not a language tag (es, en, pt-BR); the request would go out without it",
        ),
        (
            {"cart": {"total_value": 1, "currency": "PESO"}},
            "cart.currency: is not a currency of ISO 4217 (COP, BRL, USD); it would be left out",
        ),
        (
            {"cart": {"total_value": 1}},
            "cart.currency: is missing beside the amount; nobody could tell in which currency that is",
        ),
        (
            {"type": "order_completed", "order_value": 1},
            "currency: is missing beside the amount; nobody could tell in which currency that is",
        ),
        (
            {"cart": {"items": [{"quantity": 0}, {"quantity": 1}]}},
            "cart.items.0.quantity: is 0; leave out an item that is no longer in the cart",
        ),
        (
            {"cart": {"items": [{"quantity": 0}]}},
            "cart: is worth nothing or holds only lines with quantity 0; it would count as emptied",
        ),
        ({"occurred_at": "2025-05-13T22:40:00"}, "occurred_at: has no time zone; it would be read as UTC"),
        ({"expires_at": "2025-05-13T22:40:00Z"}, "expires_at: means nothing with type activity; it would be ignored"),
        (
            {"type": "payment_pending", "expires_at": "2025-05-13T22:40:00Z"},
            "expires_at: is in the past; silence would count from the event itself",
        ),
        (
            {"type": "payment_pending", "expires_at": "2999-05-13T22:40:00Z"},
            "expires_at: is more than 30 days away; 30 days would be used",
        ),
        (
            {"engagement": {"preferred_channel": "fax"}},
            "engagement.preferred_channel: is not one of auto, call, whatsapp; auto is used",
        ),
    ],
)
def test_a_warning_says_what_its_sender_should_think_about(changes: dict[str, object], said: str) -> None:
    done = checked({**SEED, **changes})

    assert done.exit_code == 0
    assert findings(done) == [f"line 1: warning: {said}"]
    assert done.stdout.splitlines()[-1] == "1 event, 0 problems, 1 warning"


@given(
    st.fixed_dictionaries(
        {
            "full_name": st.sampled_from(["Jane Doe", "Guest", "", " ", "\u0007", None]),
            "phone_number": st.sampled_from(["+573001234567", "3001234567", "12", "+38344123456", "", None]),
            "country_code": st.sampled_from(["CO", "Colombia", "Columbia", "US", "+57", "+1", " ", None]),
        }
    )
)
def test_whoever_could_not_be_reached_is_warned_of(customer: dict[str, str | None]) -> None:
    raw = json.dumps({**SEED, "customer": customer}).encode()
    event = parse(raw).event
    assert event is not None
    fields = fields_of(event)
    built = build(fields, session_id="s", stage="checkout", platform="web", abandoned_ms=0, reason="r")
    reachable = isinstance(built, Built) and all(fields.get(name) for name in REQUIRED)

    warned = any(finding.effect == UNREACHABLE for finding in check(raw, now_ms=0))

    assert warned != reachable


def test_an_event_from_the_future_is_worth_a_warning() -> None:
    (line,) = told({**SEED, "occurred_at": "2999-01-01T00:00:00Z"})

    assert line.startswith("line 1: warning: occurred_at: is ")
    assert line.endswith(" s in the future; the arrival would count instead")


def test_a_misspelt_field_is_pointed_out_beside_the_problem_that_it_makes() -> None:
    assert told({"sesion_id": "s", "type": "exit"}) == [
        "line 1: session_id is missing; the event would be rejected",
        "line 1: warning: sesion_id: is not a field of an event; it would be ignored; did you mean session_id?",
    ]


def test_a_field_that_is_read_under_another_name_is_no_warning() -> None:
    assert told({"type": "order_completed", "cart_token": "t", "phone": "+573001234567", "sessionId": "s"}) == []
    assert len(told({**SEED, "cart_token": "t", "phone": "+573001234567"})) == 2


def test_warnings_count_as_problems_on_demand() -> None:
    assert checked({**SOUND, "basket": 1}).exit_code == 0
    assert checked({**SOUND, "basket": 1}, options=("--strict",)).exit_code == 1
    assert checked(SOUND, options=("--strict",)).exit_code == 0


def test_one_event_may_be_spread_over_several_lines() -> None:
    done = run(stdin=json.dumps({**SEED, "platform": "tv"}, indent=2))

    assert findings(done)[0].startswith("platform: must be")
    assert done.stdout.splitlines()[-1] == "1 event, 1 problem, 0 warnings"


def test_json_output_has_one_object_for_each_finding_and_request() -> None:
    done = checked(SOUND, {**SOUND, "cart": 1}, SEED, options=("--json",))

    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert [one for one in found if one["level"] == "problem"] == [
        {
            "line": 2,
            "level": "problem",
            "field": "cart",
            "message": "must be a JSON object",
            "effect": "the event would be applied without its cart",
        }
    ]
    requests = {one["line"]: one["request"] for one in found if one["level"] == "request"}
    assert (requests[1], requests[2]) == (None, None)
    assert requests[3]["customer"]["phone_number"] == "+573001234567"
    assert done.exit_code == 1


def test_no_finding_repeats_a_value_of_an_event() -> None:
    secret = "hunter2"
    nested = {
        "full_name": [secret, secret],
        "phone_number": secret,
        "country_code": secret,
        "email": secret,
        "language": secret,
    }
    bad = {"session_id": "s", "type": "exit", "customer": nested, "cart": {"currency": secret, "items": secret}}
    weak = {"session_id": "s", "type": "exit", "customer": {**nested, "full_name": None}, "platform": secret}

    found = [
        str(one)
        for document in (bad, weak, {"session_id": {secret: 1}, "type": secret}, secret)
        for one in check(json.dumps(document).encode(), now_ms=0)
    ]

    assert len(found) > 8
    assert not any(secret in line for line in found)


READINGS: list[tuple[dict[str, object], str]] = [
    (
        {"customer": {"phone_number": "300 123 4567", "country_code": "Colombia"}},
        'customer.phone_number "300 123 4567" with CO \u2192 +573001234567: read as a national number',
    ),
    ({"customer": {"phone_number": "+57 300 123 4567"}}, "customer.country_code is taken from the number \u2192 CO"),
    ({"customer": {"country_code": "EE.UU."}}, 'customer.country_code "EE.UU." \u2192 US'),
    ({"customer": {"full_name": "Jos&eacute;"}}, 'customer.full_name "Jos&eacute;" \u2192 José'),
    ({"customer": {"country_code": "BR", "language": "br"}}, 'customer.language "br" \u2192 left out'),
    ({"customer": {"consent": "denied"}}, "customer.consent \u2192 call no, whatsapp no"),
    ({"cart": {"total_value": "149.900", "currency": "COP"}}, 'cart.total_value "149.900" \u2192 149900'),
    ({"cart": []}, "cart \u2192 emptied"),
    ({"occurred_at": 1795689000}, "occurred_at 1795689000 \u2192 2026-11-26T10:30:00+00:00"),
    ({"session_id": 5}, "session_id \u2192 5"),
    ({"type": "Order Placed"}, "type was read as order_completed"),
    ({"type": "order_completed", "cart_id": 7}, "cart_ids \u2192 7 would be closed, too"),
]


@pytest.mark.parametrize(("changes", "line"), READINGS)
def test_it_explains_how_a_field_was_understood(changes: dict[str, object], line: str) -> None:
    assert f"line 1: {line}" in checked({**SEED, **changes}).stdout.splitlines()


def test_a_value_that_would_redraw_the_terminal_is_escaped() -> None:
    done = checked({**SEED, "customer": {"full_name": "A\u001b[2JB&amp;"}})

    assert r"\x1b[2J" in done.stdout
    assert "\x1b" not in done.stdout


def request_of(*documents: object) -> str:
    lines = [line for line in checked(*documents).stdout.splitlines() if "request" in line]
    return lines[-1].partition("request")[2].removeprefix(": ").strip()


def test_it_prints_the_request_that_would_be_sent() -> None:
    first = {**SEED, "occurred_at": "2025-05-13T22:40:00Z", "flow_stage": "cart_review"}
    request = json.loads(request_of(first, {**SEED, "customer": {"email": "jane@example.com"}}))

    assert request["customer"]["email"] == "jane@example.com"
    assert request["customer"]["full_name"] == "Jane Doe"
    assert request["session"] == {
        "abandonment_timestamp": "2025-05-13T22:45:00Z",
        "flow_stage": "checkout",
        "platform": "web",
        "session_id": "sess_abc123xyz",
    }


@pytest.mark.parametrize(
    ("later", "why"),
    [
        ({"type": "order_completed"}, "what was in the session is bought"),
        ({"type": "opt_out"}, "the person opted out"),
        ({"cart": []}, "the cart is empty"),
        ({"customer": {"consent": False}}, "the customer refused every channel"),
        ({"customer": {"full_name": None}}, "the session ends as unreachable without customer.full_name"),
        ({"customer": {"phone_number": "12"}}, "customer.phone_number can't be used for a contact"),
        ({"engagement": {"metadata": {"bot": True}}}, "it is a bot"),
        ({"session_id": "another", "type": "exit", "flow_stage": None}, "no event said at which flow_stage"),
        (
            {"session_id": "another", "type": "order_completed", "cart_id": SEED["session_id"]},
            "what was in the session",
        ),
    ],
)
def test_it_says_why_no_request_would_be_sent(later: dict[str, object], why: str) -> None:
    assert request_of(SEED, {**SEED, **later}).startswith(why)


@given(st.binary(max_size=200) | st.recursive(st.none() | st.integers() | st.text(), st.lists).map(json.dumps))
def test_whatever_is_checked_there_is_an_answer(text: bytes | str) -> None:
    assert run(stdin=text).exit_code in {0, 1}


@pytest.mark.parametrize(
    ("unknown", "meant"),
    [
        ("custmer", "customer"),
        ("sessionId", "session_id"),
        ("stage", "flow_stage"),
        ("phone", "customer.phone_number"),
        ("phoneNumber", "customer.phone_number"),
        ("customer.name", "customer.full_name"),
        ("customer.Email", "customer.email"),
        ("name", "customer.full_name"),
        ("items", "cart.items"),
        ("cart.curency", "cart.currency"),
        ("curency", "currency"),
        ("cart.items.prize", "cart.items.price"),
        ("cart.total", "cart.total_value"),
        ("engagement.channel", "engagement.preferred_channel"),
        ("utm_campaign", None),
        ("user_agent", None),
        ("page_name", None),
    ],
)
def test_an_unknown_field_is_traced_to_the_one_that_was_meant(unknown: str, meant: str | None) -> None:
    assert suggestion(unknown) == meant
