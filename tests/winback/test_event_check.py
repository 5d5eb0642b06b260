"""`winback event check`: what it says about which event."""

import json

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from detectors.activity import MAX_EVENT_BYTES
from tests.support.checking_events import SEED, checked, findings, run, told
from winback.operations.event_check import check
from winback.operations.field_suggestions import suggestion
from worker.errors import StartError

SOUND = {"session_id": "s", "type": "exit"}
TYPES = "activity, exit, payment_declined, payment_pending, order_completed, opt_out"
SIGN_OF_LIFE = "the event would only show that the shopper is still active"


def test_an_event_without_fault_is_fine() -> None:
    done = checked(SEED)

    assert (done.exit_code, findings(done)) == (0, [])
    assert done.stdout.splitlines()[-1] == "1 event, 0 problems, 0 warnings"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"cart": {"items": [{"quantity": "two"}]}},
            ("cart.items.0.quantity: must be a whole number; the event would be applied without cart.items.0.quantity"),
        ),
        (
            {"customer": {"full_name": "Jane", "email": True}},
            "customer.email: must be text; the event would be applied without customer.email",
        ),
        (
            {"platform": "tv"},
            "platform: must be 'web', 'ios' or 'android'; the event would be applied without its",
        ),
        ({"flow_stage": None}, f"flow_stage: is missing; an activity needs flow_stage and platform; {SIGN_OF_LIFE}"),
        ({"session_id": None}, "session_id: is missing; the event would be rejected"),
        (
            {"type": "activty"},
            (
                f"type: names no type of event ({TYPES}); it was read as activity of its session; {SIGN_OF_LIFE}; "
                "did you mean activity?"
            ),
        ),
        (
            {"type": "shopping"},
            f"type: names no type of event ({TYPES}); it was read as activity of its session; {SIGN_OF_LIFE}",
        ),
        (
            {"session_id": None, "type": "opt_out", "customer": {"phone_number": "12"}},
            (
                "customer.phone_number: is not a valid number, and without a session_id or an email the event names "
                "no person; the event would be rejected"
            ),
        ),
    ],
)
def test_problem_names_line_field_reason_and_effect(changes: dict[str, object], said: str) -> None:
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


@given(st.binary(max_size=200) | st.recursive(st.none() | st.integers() | st.text(), st.lists).map(json.dumps))
def test_whatever_is_checked_there_is_an_answer(text: bytes | str) -> None:
    assume(text.strip())
    assert run(stdin=text).exit_code in {0, 1}


@pytest.mark.parametrize(
    ("unknown", "meant"),
    [
        ("custmer", "customer"),
        ("sessionId", "session_id"),
        ("stage", "flow_stage"),
        ("phone", "customer.phone_number"),
        ("phoneNumber", "customer.phone_number"),
        ("customer.fone", "customer.phone_number"),
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


def test_input_without_an_event_is_a_mistake() -> None:
    with pytest.raises(StartError, match=r"^event check: the input has no event$"):
        checked()
