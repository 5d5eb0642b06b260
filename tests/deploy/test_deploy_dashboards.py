"""The dashboards and alert rules use metrics that exist, and the compose profile loads all of them."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard as Model

from reference_pages.dashboards import DASHBOARDS, FILES, text_of
from reference_pages.metrics import exported
from reference_pages.panels import Dashboard, Panel

ROOT = Path(__file__).parents[2]
RULES = yaml.safe_load((ROOT / "deploy/prometheus/winback.rules.yml").read_text())["groups"][0]["rules"]
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
EXPORTED = {name: set(labels) for name, labels in exported()}
PANELS = [panel for dashboard in DASHBOARDS for row in dashboard.rows for panel in row.panels]
SELECTOR = re.compile(r"(winback_\w+)(?:\{([^}]*)})?")
GROUPED = re.compile(r"(?:by|ignoring|on)\s*\(([^)]*)\)")


def lost(document: dict[str, Any]) -> Iterator[str]:
    """Yield the fields of a dashboard that its models in Grafana don't have, or change."""
    read = json.loads(JSONEncoder().encode(Model.from_json(document)))
    yield from _lost(document, read, "dashboard")


def _lost(written: object, read: object, path: str) -> Iterator[str]:
    if isinstance(written, dict) and isinstance(read, dict):
        for name, value in written.items():
            yield from _lost(value, read.get(name), f"{path}.{name}")
    elif isinstance(written, list) and isinstance(read, list) and len(written) == len(read):
        for place, (one, other) in enumerate(zip(written, read, strict=True)):
            yield from _lost(one, other, f"{path}.{place}")
    elif written != read:
        yield path


def expressions() -> Iterator[tuple[str, str]]:
    for panel in PANELS:
        for query in panel.queries:
            yield query.expression, query.legend
    for rule in RULES:
        legend = "".join(rule["annotations"].values())
        yield rule["expr"], re.sub(r"\{\{ \$labels\.(\w+) }}", r"{{\1}}", legend)


@pytest.mark.parametrize(("expression", "legend"), [*expressions()])
def test_expression_names_only_exported_metrics_and_labels(expression: str, legend: str) -> None:
    selectors = SELECTOR.findall(expression)
    assert selectors
    for metric, matchers in selectors:
        assert metric in EXPORTED
        assert set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", matchers)) <= EXPORTED[metric]
    known = set().union(*(EXPORTED[metric] for metric, _ in selectors))
    grouped = {label.strip() for labels in GROUPED.findall(expression) for label in labels.split(",") if label.strip()}
    assert grouped <= known
    assert set(re.findall(r"\{\{(\w+)}}", legend)) <= known


@pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda one: one.uid)
def test_file_is_up_to_date(dashboard: Dashboard) -> None:
    assert (ROOT / FILES / f"{dashboard.uid}.json").read_text() == text_of(dashboard), "run `make pages`"


@pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda one: one.uid)
def test_panels_do_not_overlap(dashboard: Dashboard) -> None:
    taken: set[tuple[int, int]] = set()
    for panel in json.loads(text_of(dashboard))["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert max(x for x, _ in cells) < 24
        assert not cells & taken
        taken |= cells


@pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda one: one.uid)
def test_every_field_and_value_is_read_by_grafana(dashboard: Dashboard) -> None:
    register_default_plugins()
    assert [*lost(json.loads(text_of(dashboard)))] == []


def test_field_that_grafana_does_not_read_is_found() -> None:
    document = json.loads(text_of(DASHBOARDS[0]))
    first = next(panel for panel in document["panels"] if "targets" in panel)
    first["fieldConfig"]["defaults"]["units"] = "s"
    first["options"]["colour"] = "value"
    first["targets"][0]["expression"] = "up"
    register_default_plugins()
    assert {path.rpartition(".")[2] for path in lost(document)} == {"units", "colour", "expression"}


@pytest.mark.parametrize("panel", PANELS, ids=lambda one: one.title)
def test_panel_is_explained(panel: Panel) -> None:
    assert all(text.endswith(".") for text in (panel.shows, panel.healthy, panel.otherwise))


@pytest.mark.parametrize("rule", RULES, ids=lambda one: one["alert"])
def test_alert_tells_what_to_do(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in {"page", "ticket"}
    assert rule["annotations"].keys() == {"summary", "action"}


def test_profile_starts_all_and_loads_the_files() -> None:
    assert {name for name, one in SERVICES.items() if "observability" in one.get("profiles", [])} == {
        "metrics",
        "prometheus",
        "grafana",
    }
    for name in ("prometheus", "grafana"):
        for mount in SERVICES[name]["volumes"]:
            assert mount["type"] == "volume" or (ROOT / mount["source"]).is_dir()
    provider = yaml.safe_load((ROOT / "deploy/grafana/provisioning/dashboards/winback.yml").read_text())
    targets = {mount["target"] for mount in SERVICES["grafana"]["volumes"]}
    assert provider["providers"][0]["options"]["path"] in targets
    scraped = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text())["scrape_configs"][0]
    assert scraped["job_name"] == "winback"
    assert scraped["static_configs"][0]["targets"] == ["metrics:9555"]


def test_no_person_can_log_in_to_grafana() -> None:
    settings = SERVICES["grafana"]["environment"]
    assert settings["GF_SECURITY_DISABLE_INITIAL_ADMIN_CREATION"] == "true"
    assert settings["GF_AUTH_BASIC_ENABLED"] == "false"
    assert settings["GF_AUTH_ANONYMOUS_ORG_ROLE"] == "Viewer"
