"""The settings of the collector's sources reach each source, and mistakes end in one line."""

import json
from typing import Any

import pytest
from typer.testing import CliRunner

from storefronts.options import NO_OPTIONS, Options
from storefronts.registry import SOURCES
from tests.support.settings_mistakes import Write, problems, write
from tests.support.storefront_bodies import delivery
from winback.cli import collect
from worker.collector.shop_sources import shop_sources
from worker.collector.source import Access
from worker.collector.write_keys import WriteKey
from worker.settings import load

__all__ = ["write"]

SECTION = """
[collect]
payment_step = 3
checkout_paths = ["/kasse", "/checkout"]
[collect.consent.segment]
call = "traits.call_consent"
[collect.consent.shopify]
whatsapp = "sms_marketing_consent.state"
"""


@pytest.mark.parametrize("source", SOURCES)
def test_consent_is_read_from_named_sources_only(write: Write, source: str) -> None:
    write(SECTION)
    fields: dict[str, Any] = {
        "segment": {"call": "traits.call_consent"},
        "rudderstack": {"call": "traits.call_consent"},
        "segment-webhook": {"call": "traits.call_consent"},
        "shopify": {"whatsapp": "sms_marketing_consent.state"},
    }
    assert load({}).collect.options(source) == Options(fields.get(source, {}), 3, ("/kasse", "/checkout"))


@pytest.mark.parametrize("source", SOURCES)
def test_defaults_assume_nothing(source: str) -> None:
    assert load({}).collect.options(source) == NO_OPTIONS


def test_variables_name_the_source_and_the_channel() -> None:
    env = {"WINBACK_COLLECT__CONSENT__SHOPIFY_PIXEL__CALL": "a.b", "WINBACK_COLLECT__CHECKOUT_PATHS": "/a, /b"}
    assert load(env).collect.options("shopify-pixel") == Options({"call": "a.b"}, None, ("/a", "/b"))


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("payment_step = 0", "collect.payment_step (winback.toml): 0 must be at least 1"),
        ('payment_step = "third"', "collect.payment_step (winback.toml): 'third' is not a whole number"),
        (
            'checkout_paths = ["checkout"]',
            (
                "collect.checkout_paths (winback.toml): 'checkout' is not the beginning of a path: write it "
                "with a slash, such as /checkout"
            ),
        ),
        ('checkout_paths = ["/"]', "collect.checkout_paths (winback.toml): '/' is not the beginning of a path"),
        ("consent = true", "collect.consent (winback.toml): True must be a section"),
        ('consent = { call = "a" }', "collect.consent (winback.toml): names a field without its source"),
        ('consent = { shopfy = { call = "a" } }', "collect.consent.shopfy (winback.toml): unknown key"),
        ('consent = { yuno = { sms = "a" } }', "collect.consent.yuno.sms (winback.toml): unknown key"),
        (
            'consent = { yuno = { call = "metadata..ok" } }',
            (
                "collect.consent.yuno.call (winback.toml): 'metadata..ok' is not a field: write its path with dots, "
                "such as traits.call_consent"
            ),
        ),
        ('consent = { yuno = { call = "" } }', "collect.consent.yuno.call (winback.toml): '' is not a field"),
        ("consent = { yuno = { call = 7 } }", "collect.consent.yuno.call (winback.toml): 7 must be text in quotes"),
    ],
)
def test_mistake_is_one_line_with_the_field(write: Write, line: str, problem: str) -> None:
    write(f"[collect]\n{line}\n")
    (found,) = problems()
    assert found.startswith(problem)


def test_each_path_of_the_collector_uses_the_settings(write: Write) -> None:
    write(SECTION)
    (source,) = (one for path, one in shop_sources(load({}).collect).items() if path == "/v1/{route}")
    page = {"anonymousId": "a", "type": "page", "properties": {"path": "/kasse/2"}}
    identify = {"anonymousId": "a", "type": "identify", "traits": {"phone": "+573001234567", "call_consent": "yes"}}
    body = json.dumps({"batch": [page, identify]}).encode()
    reading = source.read(delivery(body, route="batch"), Access(WriteKey(0, is_public=False)))
    activity, profile = (one.words for one in reading.events)  # type: ignore[union-attr]
    assert activity["event"]["flow_stage"] == "checkout"
    assert profile["customer"]["consent"] == {"call": True}


def test_check_uses_the_settings(write: Write) -> None:
    write(SECTION)
    page = '{"type": "page", "anonymousId": "a", "properties": {"path": "/kasse/2"}}'
    shown = CliRunner().invoke(collect.app, ["check", "-", "--source=segment"], input=page).stdout
    assert "  flow_stage: checkout\n" in shown
