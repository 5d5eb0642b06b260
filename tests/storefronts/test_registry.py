import re

import pytest

from storefronts.registry import SOURCES
from storefronts.shopify import TOPICS
from tests.support.pages import ROOT
from tests.support.storefront_bodies import delivery, sample

SIGNED = {
    "shopify": "shopify",
    "woocommerce": "woocommerce",
    "yuno": "yuno",
    "segment-webhook": "segment_webhook_destination",
}


@pytest.mark.parametrize(("source", "scheme"), SIGNED.items())
def test_webhook_is_verified_by_its_signature(source: str, scheme: str) -> None:
    vector = next(one for one in sample("signature_vectors")["vectors"] if one["scheme"] == scheme)
    verify = SOURCES[source].verify
    assert verify is not None
    signed = delivery(vector["body_utf8"].encode(), headers={vector["header"]: vector["expected"]})
    assert verify(signed, [vector["secret"]]) == "all"
    assert verify(delivery(vector["body_utf8"].encode()), [vector["secret"]]) == "nothing"


def test_other_sources_have_write_keys() -> None:
    unsigned = {name for name, source in SOURCES.items() if source.has_key}
    assert unsigned == SOURCES.keys() - SIGNED.keys() - {"standard-webhooks"}


def test_reference_lists_every_source_and_topic() -> None:
    page = (ROOT / "docs" / "reference" / "sources.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `([\w-]+)` \|", page, re.MULTILINE)[: len(SOURCES)] == list(SOURCES)
    assert [topic for topic in TOPICS if f"`{topic}`" not in page] == []


def test_source_has_the_name_of_its_path() -> None:
    assert all(name == source.name and name.replace("-", "").isalnum() for name, source in SOURCES.items())
