"""Scaling in Kubernetes: KEDA accepts the files, and the resources that they name exist."""

import re
from copy import deepcopy
from typing import Any
from urllib.parse import urlsplit

import jsonschema
import pytest
import yaml

from tests.support.manifests import BASE, ROOT, SCALING, Resource, deployment, named, of_kind, strict
from tests.support.shown_metrics import show
from worker.runtime import State
from worker.settings import load

SCALED = ("ingest", "recover")
KIND = ROOT / "tests" / "kubernetes" / "keda.sh_scaledobjects.yaml"


def title(resource: Resource) -> str:
    return str(resource["metadata"]["name"])


def schema() -> dict[str, Any]:
    [version] = yaml.safe_load(KIND.read_text())["spec"]["versions"]
    found: dict[str, Any] = strict(version["schema"]["openAPIV3Schema"])
    return found


@pytest.mark.parametrize("resource", of_kind(SCALING, "ScaledObject"), ids=title)
def test_keda_knows_every_field(resource: Resource) -> None:
    jsonschema.validate(resource, schema())
    broken = deepcopy(resource)
    broken["spec"]["maxReplicas"] = broken["spec"].pop("maxReplicaCount")
    with pytest.raises(jsonschema.ValidationError, match="maxReplicas"):
        jsonschema.validate(broken, schema())


def trigger(role: str) -> dict[str, Any]:
    [found] = named(SCALING, "ScaledObject", f"winback-{role}")["spec"]["triggers"]
    assert found["type"] == "metrics-api"
    metadata: dict[str, Any] = found["metadata"]
    # The fields of this scaler; the resource definition doesn't list them.
    assert metadata.keys() == {"url", "format", "valueLocation", "targetValue"}
    assert metadata["format"] == "prometheus"
    return metadata


@pytest.mark.xdist_group("valkey")
@pytest.mark.parametrize("role", SCALED)
def test_what_is_scaled_by_is_among_the_metrics(real_state: State, role: str) -> None:
    shown, where = show(real_state), re.fullmatch(r'(\w+)(?:{(\w+)="(\w+)"})?', trigger(role)["valueLocation"])
    assert where
    name, label, value = where.groups()
    assert shown.value(name, **({label: value} if label else {})) == 0
    assert float(trigger(role)["targetValue"]) > 0


@pytest.mark.parametrize("role", SCALED)
def test_the_metrics_are_read_where_they_are_served(role: str) -> None:
    service = named(SCALING, "Service", "winback-metrics")
    url = urlsplit(trigger(role)["url"])
    assert url.hostname == f"{service['metadata']['name']}.{service['metadata']['namespace']}.svc"
    assert (url.port, url.path) == (service["spec"]["ports"][0]["port"], "/metrics")


@pytest.mark.parametrize("role", SCALED)
def test_replica_count_has_one_owner(role: str) -> None:
    scaled = named(SCALING, "ScaledObject", f"winback-{role}")["spec"]
    target = named(SCALING, "Deployment", scaled["scaleTargetRef"]["name"])
    assert "replicas" not in target["spec"]
    assert scaled["minReplicaCount"] == deployment(role)["spec"]["replicas"] < scaled["maxReplicaCount"]
    assert {found["metadata"]["name"] for found in of_kind(SCALING, "ScaledObject")} == {f"winback-{r}" for r in SCALED}


def test_recover_pods_are_limited_by_messages_in_flight() -> None:
    settings = load({}, BASE / "winback.toml")
    slots = settings.worker.concurrency
    most = named(SCALING, "ScaledObject", "winback-recover")["spec"]["maxReplicaCount"]
    assert most * slots == settings.in_flight
    assert slots / 2 < float(trigger("recover")["targetValue"]) < slots
