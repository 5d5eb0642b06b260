"""The mock API checks requests against Yuno's contract: each rule has a refused example that names its field."""

import json
import subprocess
import sys
from importlib.resources import files
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests.support.mock_requests import GONE, SEED, changed, error, new_key, send
from tests.support.strict_mock import running, server
from winback.simulation.mock_api.process import MockServer

__all__ = ["running", "server"]  # fixtures


@pytest.mark.parametrize("prefix", ["", "/v1"])
@pytest.mark.parametrize("path", ["/ai-caller-ms/recovery-payment/external", "/smart-support/external/payments"])
def test_documented_example_is_accepted_at_every_address(server: MockServer, prefix: str, path: str) -> None:
    response = send(server, path=prefix + path)
    assert (response.status_code, response.content) == (200, b"")
    [request] = server.requests()
    assert request["valid"]
    assert request["path"] == prefix + path
    assert request["body"] == SEED


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("cart", GONE),
        ("engagement", GONE),
        ("cart", {}),
        ("engagement", {}),
        ("customer.email", GONE),
        ("customer.email", "jäne+shop@müller-söhne.example"),
        ("customer.language", "pt-BR"),
        ("customer.language", "es-419"),
        ("customer.phone_number", "+12125550103"),
        ("customer.full_name", "O'Neill 李"),
        ("session.session_id", GONE),
        ("session.abandonment_timestamp", "2025-05-13T22:45:00.123Z"),
        ("cart.total_value", 0),
        ("cart.total_value", 150),
        ("cart.items", []),
        ("cart.items.0", {"name": "Only a name"}),
        ("engagement.metadata", {}),
        ("engagement.metadata.nested", {"list": [1, "two", {"three": False}]}),
    ],
)
def test_what_the_contract_allows_is_taken(server: MockServer, path: str, value: object) -> None:
    response = send(server, changed(path, value))
    assert response.status_code == 200, response.text


@pytest.mark.parametrize(
    ("path", "value", "named"),
    [
        # the four objects
        ("customer", GONE, "customer"),
        ("session", GONE, "session"),
        ("customer", "Jane Doe", "customer"),
        ("session", [], "session"),
        ("cart", [], "cart"),
        ("engagement", "auto", "engagement"),
        ("cart", None, "cart"),
        ("engagement", None, "engagement"),
        # nothing else
        ("shop", {}, "shop"),
        ("customer.consent", True, "customer.consent"),
        ("session.state", "idle", "session.state"),
        ("cart.discount", 1, "cart.discount"),
        ("cart.items.0.colour", "black", "cart.items[0].colour"),
        ("engagement.channel", "call", "engagement.channel"),
        # required fields
        ("customer.full_name", GONE, "customer.full_name"),
        ("customer.phone_number", GONE, "customer.phone_number"),
        ("customer.country_code", GONE, "customer.country_code"),
        ("session.abandonment_timestamp", GONE, "session.abandonment_timestamp"),
        ("session.flow_stage", GONE, "session.flow_stage"),
        ("session.platform", GONE, "session.platform"),
        # no nulls
        ("customer.full_name", None, "customer.full_name"),
        ("customer.email", None, "customer.email"),
        ("session.session_id", None, "session.session_id"),
        ("cart.total_value", None, "cart.total_value"),
        ("cart.items.0", None, "cart.items[0]"),
        ("cart.items.0.sku", None, "cart.items[0].sku"),
        ("engagement.metadata", None, "engagement.metadata"),
        ("engagement.metadata.utm_campaign", None, "engagement.metadata.utm_campaign"),
        ("engagement.metadata.deep", [{"er": None}], "engagement.metadata.deep[0].er"),
        # strings
        ("customer.full_name", 7, "customer.full_name"),
        ("customer.full_name", " ", "customer.full_name"),
        ("session.session_id", 7, "session.session_id"),
        ("session.session_id", "", "session.session_id"),
        ("cart.items.0.name", 7, "cart.items[0].name"),
        ("cart.items.0.sku", 7, "cart.items[0].sku"),
        ("engagement.reason", ["user_abandoned_checkout"], "engagement.reason"),
        # telephone numbers
        ("customer.phone_number", "3001234567", "customer.phone_number"),
        ("customer.phone_number", "+57 300 123 4567", "customer.phone_number"),
        ("customer.phone_number", "+573001234567\n", "customer.phone_number"),
        ("customer.phone_number", "+٥٧٣٠٠١٢٣٤٥٦٧", "customer.phone_number"),
        ("customer.phone_number", 573001234567, "customer.phone_number"),
        ("customer.phone_number", "+57300123456", "customer.phone_number"),
        ("customer.phone_number", "+5215512345678", "customer.phone_number"),
        ("customer.phone_number", "+999123456789", "customer.phone_number"),
        ("customer.phone_number", "+4402079460018", "customer.phone_number"),
        # e-mail addresses
        ("customer.email", "jane.doe", "customer.email"),
        ("customer.email", "jane doe@example.com", "customer.email"),
        ("customer.email", "jane..doe@example.com", "customer.email"),
        ("customer.email", "jane@localhost", "customer.email"),
        ("customer.email", "jane@-example.com", "customer.email"),
        ("customer.email", "", "customer.email"),
        # countries and languages
        ("customer.country_code", "co", "customer.country_code"),
        ("customer.country_code", "COL", "customer.country_code"),
        ("customer.country_code", "XX", "customer.country_code"),
        ("customer.language", "pt_br", "customer.language"),
        ("customer.language", "spanish", "customer.language"),
        ("customer.language", "xx", "customer.language"),
        # times
        ("session.abandonment_timestamp", "2025-05-13T22:45:00", "session.abandonment_timestamp"),
        ("session.abandonment_timestamp", "2025-05-13T22:45:00+00:00", "session.abandonment_timestamp"),
        ("session.abandonment_timestamp", "2025-05-13 22:45:00Z", "session.abandonment_timestamp"),
        ("session.abandonment_timestamp", "2025-02-30T22:45:00Z", "session.abandonment_timestamp"),
        ("session.abandonment_timestamp", 1747176300, "session.abandonment_timestamp"),
        # enumerations
        ("session.flow_stage", "cart", "session.flow_stage"),
        ("session.flow_stage", "Checkout", "session.flow_stage"),
        ("session.platform", "windows", "session.platform"),
        ("engagement.preferred_channel", "sms", "engagement.preferred_channel"),
        # money and quantities
        ("cart.total_value", "149.99", "cart.total_value"),
        ("cart.total_value", True, "cart.total_value"),
        ("cart.items.0.price", "149.99", "cart.items[0].price"),
        ("cart.items.0.price", False, "cart.items[0].price"),
        ("cart.items.0.quantity", 1.0, "cart.items[0].quantity"),
        ("cart.items.0.quantity", "1", "cart.items[0].quantity"),
        ("cart.items.0.quantity", True, "cart.items[0].quantity"),
        ("cart.currency", "cop", "cart.currency"),
        ("cart.currency", "XYZ", "cart.currency"),
        ("cart.currency", 170, "cart.currency"),
        # lists and objects
        ("cart.items", {}, "cart.items"),
        ("cart.items.0", "WH-1000XM5", "cart.items[0]"),
        ("engagement.metadata", "spring_sale", "engagement.metadata"),
    ],
)
def test_what_breaks_a_rule_is_refused_and_the_field_named(
    server: MockServer, path: str, value: object, named: str
) -> None:
    response = send(server, changed(path, value))
    answer = response.json()
    assert (response.status_code, answer["code"]) == (400, "INVALID_REQUEST")
    [message] = answer["messages"]
    assert message.startswith(f"{named}: ")
    [request] = server.requests()
    assert (request["valid"], request["headers_ok"], request["problems"]) == (False, True, [message])


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "must be a JSON document in UTF-8"),
        (b"{", "must be a JSON document in UTF-8"),
        (b"customer=Jane", "must be a JSON document in UTF-8"),
        (json.dumps(SEED).encode("utf-16"), "must be a JSON document in UTF-8"),
        (json.dumps(SEED).replace("Jane", "J\xe4ne").encode("latin-1"), "must be a JSON document in UTF-8"),
        (json.dumps(changed("cart.total_value", float("nan"))).encode(), "must be a JSON document in UTF-8"),
        (b"[" * 100_000, "is nested too deeply"),
        (b"[]", "must be an object"),
        (b"null", "must be an object"),
        (json.dumps(SEED).replace('"CO"', '"CO", "country_code": "MX"').encode(), "an object names a field twice"),
    ],
)
def test_what_is_not_one_json_object_is_refused(server: MockServer, content: bytes, problem: str) -> None:
    response = send(server, content)
    assert response.status_code == 400
    assert response.json() == error("INVALID_REQUEST", f"body: {problem}")


def test_a_number_beyond_all_numbers_is_refused(server: MockServer) -> None:
    response = send(server, json.dumps(SEED).replace('"total_value": 149.99', '"total_value": 1e999').encode())
    assert response.json() == error("INVALID_REQUEST", "cart.total_value: must be a number")


def test_every_problem_has_its_own_message_without_values(server: MockServer) -> None:
    body: dict[str, Any] = changed("customer.phone_number", "300-SECRET")
    body["session"]["platform"] = "SECRET"
    body["customer"]["+573001234567"] = 1
    body["customer"]["573001234567"] = 1
    response = send(server, body, edit=lambda sent: sent.pop("X-Idempotency-Key"))
    odd = "customer.(a field with an odd name): is not a field of the contract"
    assert response.json() == error(
        "INVALID_REQUEST",
        "X-Idempotency-Key: is missing",
        odd,
        odd,
        "customer.phone_number: must be a string in E.164, like +573001234567",
        "session.platform: must be one of web, ios, android",
    )


def test_a_body_beyond_a_mebibyte_is_refused(server: MockServer) -> None:
    response = send(server, changed("engagement.metadata.note", "x" * 1024 * 1024), key=new_key())
    assert response.status_code == 413


def test_the_contract_is_a_valid_json_schema() -> None:
    schema = json.loads((files("winback.simulation.mock_api") / "contract.schema.json").read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(SEED)


def test_deeply_nested_metadata_is_accepted(server: MockServer) -> None:
    deep: dict[str, Any] = {}
    for _ in range(400):
        deep = {"in": deep}
    assert send(server, changed("engagement.metadata.deep", deep)).status_code == 200


def test_mock_validates_without_the_request_models() -> None:
    loaded = subprocess.run(
        [sys.executable, "-c", "import winback.simulation.mock_api.run, sys; print(sorted(sys.modules))"],
        check=True,
        capture_output=True,
        text=True,
    )
    assert "'winback.simulation.mock_api.contract'" in loaded.stdout
    assert "'tasks'" not in loaded.stdout
