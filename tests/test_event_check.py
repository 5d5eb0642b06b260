"""`winback event check`: what it says about which event."""

import json

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from detectors.activity import MAX_EVENT_BYTES
from detectors.parsing import parse
from tasks.payload import Built, build
from tasks.record import REQUIRED, fields_of
from worker.cli import event
from worker.event_check import check
from worker.event_fields import suggestion

SEED = {
    "type": "activity",
    "session_id": "sess_abc123xyz",
    "occurred_at": "2025-05-13T22:45:00Z",
    "flow_stage": "checkout",
    "platform": "web",
    "customer": {"full_name": "Jane Doe", "phone_number": "+573001234567", "country_code": "CO", "language": "es"},
    "cart": {"total_value": 149.99, "currency": "COP", "items": [{"name": "Headphones", "sku": "WH", "quantity": 1}]},
}
SOUND = {"session_id": "s", "type": "exit"}
NO_COUNTRY = "is not a country of ISO 3166-1 (CO, COL, Colombia)"
UNREACHABLE = "applied, but nobody can be reached until another event brings a good one"
SIGN_OF_LIFE = "the event would only say that the shopper is still there"


def run(*options: str, stdin: str | bytes = "") -> Result:
    app = typer.Typer()
    app.command()(event.check)
    return CliRunner().invoke(app, options, input=stdin, catch_exceptions=False)


def checked(*documents: object, options: tuple[str, ...] = ()) -> Result:
    lines = "\n".join(one if isinstance(one, str) else json.dumps(one) for one in documents)
    return run("-", *options, stdin=lines)


def told(*documents: object) -> list[str]:
    return checked(*documents).stdout.splitlines()[:-1]


def test_an_event_without_fault_is_fine() -> None:
    done = checked(SEED)

    assert (done.exit_code, done.stdout) == (0, "1 event, 0 problems, 0 warnings\n")


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
        ({"type": "shopping"}, "type: must be 'activity'"),
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
    (line,) = done.stdout.splitlines()[:-1]
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
            f"customer.country_code: is missing beside the phone number; {UNREACHABLE}",
        ),
        (
            {"customer": {"phone_number": "+573001234567"}},
            f"customer.country_code: is missing beside the phone number; {UNREACHABLE}",
        ),
        (
            {"customer": {"phone_number": "30012", "country_code": "Colombia"}},
            f"customer.phone_number: is not a valid number in CO; {UNREACHABLE}",
        ),
        ({"customer": {"phone_number": None}}, f"customer.phone_number: is empty; {UNREACHABLE}"),
        ({"customer": {"full_name": " \u0007"}}, f"customer.full_name: is empty; {UNREACHABLE}"),
        ({"customer": {"country_code": ""}}, f"customer.country_code: is empty; {UNREACHABLE}"),
        (
            {"customer": {"phone_number": "+573001234567", "country_code": "Columbia"}},
            f"customer.country_code: {NO_COUNTRY}; the country of the phone number would be used",
        ),
        (
            {"customer": {"phone_number": "+80012345678", "country_code": "Columbia"}},
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
            {"cart": {"items": [{"quantity": 0}]}},
            "cart.items.0.quantity: is 0; leave out an item that is no longer in the cart",
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
    assert done.stdout.splitlines() == [f"line 1: warning: {said}", "1 event, 0 problems, 1 warning"]


@given(
    st.fixed_dictionaries(
        {
            "full_name": st.sampled_from(["Jane Doe", "", " ", "\u0007", None]),
            "phone_number": st.sampled_from(["+573001234567", "3001234567", "12", "+80012345678", "", None]),
            "country_code": st.sampled_from(["CO", "Colombia", "Columbia", "US", " ", None]),
        }
    )
)
def test_whoever_could_not_be_reached_is_warned_of(customer: dict[str, str | None]) -> None:
    raw = json.dumps({**SEED, "customer": customer}).encode()
    event = parse(raw).event
    assert event is not None
    fields = fields_of(event)
    built = build(fields, session_id="s", stage="checkout", platform="web", abandoned_ms=0, reason="r")
    reachable = isinstance(built, Built) and all(fields[name] for name in REQUIRED)

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


def test_warnings_count_as_problems_on_demand() -> None:
    assert checked({**SOUND, "basket": 1}).exit_code == 0
    assert checked({**SOUND, "basket": 1}, options=("--strict",)).exit_code == 1
    assert checked(SOUND, options=("--strict",)).exit_code == 0


def test_one_event_may_be_spread_over_several_lines() -> None:
    done = run(stdin=json.dumps({**SEED, "platform": "tv"}, indent=2))

    assert done.stdout.splitlines()[0].startswith("platform: must be")
    assert done.stdout.splitlines()[-1] == "1 event, 1 problem, 0 warnings"


def test_json_output_has_one_object_for_each_finding() -> None:
    done = checked(SOUND, {**SOUND, "cart": 1}, options=("--json",))

    assert [json.loads(line) for line in done.stdout.splitlines()] == [
        {
            "line": 2,
            "level": "problem",
            "field": "cart",
            "message": "must be a JSON object",
            "effect": "the event would be applied without its cart",
        }
    ]
    assert done.exit_code == 1


def test_no_value_of_an_event_is_repeated() -> None:
    secret = "hunter2"
    nested = {
        "full_name": [secret],
        "phone_number": secret,
        "country_code": secret,
        "email": secret,
        "language": secret,
    }
    bad = {"session_id": "s", "type": "exit", "customer": nested, "cart": {"currency": secret, "items": secret}}
    weak = {"session_id": "s", "type": "exit", "customer": {**nested, "full_name": None}, "platform": secret}

    done = checked(bad, weak, {"session_id": f"{secret} ?", "type": secret}, secret)

    assert len(done.stdout.splitlines()) > 8
    assert secret not in done.stdout


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
