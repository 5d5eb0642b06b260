"""`winback collect setup`."""

import re
from collections.abc import Mapping

import pytest
from typer.testing import CliRunner

from detectors.reading.names import event_type, squash
from state.deliveries import Deliveries, DeliveryNote
from state.errors import StateError
from storefronts.registry import SOURCES
from storefronts.segment_names import EVENTS, STAGES
from storefronts.setups import SETUPS
from storefronts.shopify import TOPICS
from tests.support.cli_support import dead_port
from winback.cli import collect, collect_setup
from winback.operations.collect_setup import Wanted
from worker.collector.settings import CollectSettings
from worker.collector.shop_sources import shop_sources
from worker.errors import StartError
from worker.runtime import State
from worker.supervision.embedded_valkey import EmbeddedValkey

pytestmark = pytest.mark.xdist_group("valkey")
SECRET = "secret-of-today"


def setup(*arguments: str, wait: str = "off", env: Mapping[str, str] | None = None) -> tuple[int, str]:
    result = CliRunner().invoke(
        collect.app, ["setup", *arguments, "--wait", wait], env={"COLUMNS": "80", **(env or {})}
    )
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout


@pytest.mark.parametrize("source", [*SETUPS, "pixel"])
def test_every_source_has_a_url_and_a_setting(source: str) -> None:
    shop = ["shop-a"] if "{shop}" in SETUPS.get(source, SETUPS["shopify-pixel"]).url else []
    code, shown = setup(source, *shop, "--url=https://collect.example")
    assert code == 0
    assert "https://collect.example/" in shown
    assert "WINBACK_COLLECT__" in shown
    assert "127.0.0.1" not in shown


def test_every_source_can_be_set_up() -> None:
    assert SETUPS.keys() == SOURCES.keys() | {"snippet"}


@pytest.mark.parametrize("name", SETUPS)
def test_url_is_a_path_of_the_collector(name: str) -> None:
    path = SETUPS[name].url.partition("?")[0]
    known = {"/events", *shop_sources(CollectSettings())}
    assert {path, f"{path}/{{route}}"} & known


def test_topics_are_those_that_the_source_reads() -> None:
    _, shown = setup("shopify", "shop-a")
    assert all(topic in shown for topic in TOPICS)
    tracked = [name for name in EVENTS if name not in {"identify", "page"}]
    assert [name for name in tracked if squash(name) not in STAGES and not event_type(name)] == []


def test_new_secret_fits_the_settings() -> None:
    for source, setting in (("yuno", "yuno_secrets"), ("snippet", "public_keys"), ("events", "server_keys")):
        _, shown = setup(source)
        (made,) = re.findall(rf"export WINBACK_COLLECT__{setting.upper()}='(.*)'", shown)
        assert CollectSettings(**{setting: made}).is_on
    assert setup("yuno")[1] != setup("yuno")[1]


def test_known_secret_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WINBACK_COLLECT__SHOPIFY", f'{{"shop-a": ["{SECRET}"]}}')
    _, shown = setup("shopify")
    assert "1 is in collect.shopify of shop-a" in shown
    assert SECRET not in shown
    assert "export" not in shown
    _, shown = setup("shopify", "shop-b")
    assert "Keep the shops that are in collect.shopify: shop-a." in shown


def test_local_address_asks_for_a_public_one() -> None:
    assert "--url https://collect.example" in setup("yuno")[1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["shopfy"], "'shopfy' is no source"),
        (["shopify"], "name the shop"),
        (["shopify", "a/b"], "is part of a URL"),
        (["yuno", "shop-a"], "has no shop in its URL"),
        (["yuno", "--url=collect.example"], "must begin with https://"),
        (["yuno", "--wait=soon"], "--wait 'soon'"),
    ],
)
def test_mistake_ends_in_one_line(arguments: list[str], message: str) -> None:
    with pytest.raises(StartError, match=message) as raised:
        CliRunner().invoke(collect.app, ["setup", *arguments], catch_exceptions=False)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("wanted", "name"),
    [
        (Wanted("shopify", "shop-a"), "shopify/shop-a"),
        (Wanted("shopify-pixel", "shop-a"), "shopify-pixel/shop-a"),
        (Wanted("snippet"), "events"),
        (Wanted("yuno"), "yuno"),
    ],
)
def test_requests_are_found_under_their_report(wanted: Wanted, name: str) -> None:
    assert wanted.reported_as == name


def test_first_delivery_is_shown_with_refusals_before_it(
    valkey: EmbeddedValkey, real_state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    notes = iter(
        [
            [DeliveryNote("ga4", "1 activity")],
            [DeliveryNote("yuno", "", 1, "wrong_signature")],
            [DeliveryNote("yuno", "1 order_completed")],
        ]
    )
    report = collect_setup._report
    monkeypatch.setattr(collect_setup, "POLL_S", 0.001)

    def report_after(before: object, now: object) -> bool:
        Deliveries(real_state.scripts, real_state.keys).note(next(notes, []))
        return report(before, now)  # type: ignore[arg-type]

    monkeypatch.setattr(collect_setup, "_report", report_after)
    code, shown = setup("yuno", wait="30s", env={"WINBACK_REDIS_URL": valkey.url})
    assert code == 0
    refused, accepted = shown.split(" UTC  ")[1:]
    assert refused.startswith("refused: the signature in x-hmac-signature doesn't match")
    assert "usual cause: the client secret" in " ".join(refused.split())
    assert accepted == "accepted, and became 1 order_completed\n"


def test_earlier_requests_are_shown_and_do_not_end_the_wait(valkey: EmbeddedValkey, real_state: State) -> None:
    Deliveries(real_state.scripts, real_state.keys).note([DeliveryNote("yuno", "1 activity", 1, "no_signature")])
    code, shown = setup("yuno", wait="1ms", env={"WINBACK_REDIS_URL": valkey.url})
    assert code == 1
    assert re.search(r"So far:\n.* UTC  refused: the header .* is missing\n", shown)
    assert shown.endswith("accepted, and became 1 activity\n")


def test_waiting_without_a_delivery_is_an_error(valkey: EmbeddedValkey, real_state: State) -> None:
    assert real_state.client.ping()
    code, _ = setup("yuno", wait="1ms", env={"WINBACK_REDIS_URL": valkey.url})
    assert code == 1


def test_steps_are_shown_before_a_server_is_missed() -> None:
    url = f"redis://127.0.0.1:{dead_port()}/0"
    result = CliRunner().invoke(collect.app, ["setup", "yuno"], env={"WINBACK_REDIS_URL": url})
    assert isinstance(result.exception, StateError)
    assert "/yuno" in result.stdout
