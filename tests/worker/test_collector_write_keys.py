import base64
import json

import pytest
from pydantic import SecretStr

from storefronts.delivery import Delivery
from storefronts.write_keys import KeyClass
from tests.support.storefront_bodies import RECEIVED, sample
from worker.collector.write_keys import WriteKeys


def basic(text: str) -> dict[str, str]:
    return {"authorization": f"Basic {base64.b64encode(text.encode()).decode()}"}


def class_of(
    headers: dict[str, str] | None = None, query: dict[str, str] | None = None, document: object = None
) -> KeyClass | None:
    body = b"" if document is None else json.dumps(document).encode()
    keys = WriteKeys([SecretStr("server-1"), SecretStr("server-2")], [SecretStr("public-1")])
    found = keys.find(Delivery(body, RECEIVED, headers or {}, query or {}))
    return None if found is None else "public" if found.is_public else "server"


@pytest.mark.parametrize(
    ("headers", "query", "document"),
    [
        (basic("server-2:"), {}, None),
        (basic("server-2"), {}, None),
        ({"authorization": "bearer server-2"}, {}, None),
        ({}, {"writeKey": "server-2"}, None),
        ({}, {"access_token": "server-2"}, None),
        ({}, {}, {"writeKey": "server-2"}),
        ({}, {}, {"batch": [{"writeKey": "server-2"}]}),
    ],
)
def test_server_key_is_found_wherever_a_client_puts_it(
    headers: dict[str, str], query: dict[str, str], document: object
) -> None:
    assert class_of(headers, query, document) == "server"


def test_public_key_is_public() -> None:
    assert class_of(basic("public-1:")) == "public"


def test_first_place_with_a_known_key_counts() -> None:
    assert class_of(basic("public-1:"), {"writeKey": "server-2"}) == "public"
    assert class_of(basic("nonsense:"), {"writeKey": "server-2"}) == "server"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        basic(":server-1"),
        basic("server-3:"),
        basic(""),
        {"authorization": "Basic é"},
        {"authorization": "Basic /w=="},
        {"authorization": "server-1"},
        {"authorization": "Bearer \udc80"},
        {"authorization": "Bearer " + "x" * 10_000},
    ],
)
def test_unknown_and_malformed_keys_have_no_class(headers: dict[str, str]) -> None:
    assert class_of(headers) is None


@pytest.mark.parametrize(
    "document", [None, 7, [], {"writeKey": None}, {"writeKey": ["server-1"]}, {"batch": [7]}, {"batch": {}}]
)
def test_body_without_key_has_no_class(document: object) -> None:
    assert class_of(document=document) is None


def test_vector_of_basic_is_read() -> None:
    vector = sample("signature_vectors")["vectors"][-1]
    request = Delivery(b"", RECEIVED, {"authorization": vector["expected"]})
    found = WriteKeys([SecretStr(vector["secret"])], []).find(request)
    assert found is not None
    assert not found.is_public
