"""The source in docs/guides/add-a-source.md does what the guide says."""

import json
from typing import Any

import pytest

from storefronts.options import NO_OPTIONS
from storefronts.source import Source
from tests.support.pages import ROOT, marked
from tests.support.storefront_bodies import delivery, only, reason

PAGE = ROOT / "docs" / "guides" / "add-a-source.md"


@pytest.fixture(scope="module")
def acme() -> Source:
    (block,) = marked(PAGE, "python")
    page: dict[str, Any] = {}
    exec(block, page)  # noqa: S102 - the page is ours
    source: Source = page["ACME"]
    return source


def shown(mark: str) -> Any:  # noqa: ANN401 - JSON
    (block,) = marked(PAGE, mark)
    return json.loads(block)


def test_body_in_the_guide_becomes_the_event_in_it(acme: Source) -> None:
    found = only(acme.result(delivery(shown("json")), NO_OPTIONS))
    assert (found.event, found.dedupe_key) == (shown("expected"), "acme:evt_1")


@pytest.mark.parametrize("body", [b"", b"7", b"{}", b'{"type": "cart.updated", "cart": 7}'])
def test_source_in_the_guide_ignores_other_bodies(acme: Source, body: bytes) -> None:
    assert reason(acme.result(delivery(body)))


def test_source_in_the_guide_is_signed(acme: Source) -> None:
    assert acme.verify is not None
    assert acme.verify(delivery(shown("json")), ["secret"]) == "nothing"
