"""The Kubernetes manifests: Kubernetes accepts each of them, and they start Winback's roles."""

import re
import shlex
from copy import deepcopy
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest

from tests.deploy.test_deploy import OURS, SECRET, SERVICES, example_variables
from tests.support.manifests import (
    APPLIED,
    BASE,
    KEDA,
    KUBERNETES,
    ROOT,
    Resource,
    container,
    containers,
    deployment,
    kustomization,
    labels,
    matches,
    named,
    of_kind,
    pod,
    variables,
)
from winback.cli.metrics import DEFAULT_PORT
from worker.errors import StartError
from worker.settings import Settings, load
from worker.settings.keys import leaves, variable

ROLES = sorted(set(OURS) - {"mock-api", "collect", "outcomes", "record"})
"""The roles of `base`; the others have a file of tests each, such as test_deploy_collect.py."""
CELERY = ("sweep", "recover", "beat", "flower")
PORTS = {"flower": 5555, "metrics": DEFAULT_PORT}
OLDEST = "1.31"

each_role = pytest.mark.parametrize("role", ROLES)


def title(resource: Resource) -> str:
    return f"{resource['kind']}/{resource['metadata']['name']}"


# --- What Kubernetes and KEDA know ------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [OLDEST, kubernetes_validate.latest_version()])
@pytest.mark.parametrize("resource", [r for r in APPLIED if r["kind"] != "ScaledObject"], ids=title)
def test_kubernetes_knows_every_field(resource: Resource, version: str) -> None:
    kubernetes_validate.validate(resource, version, strict=True)


def test_a_field_that_kubernetes_does_not_know_is_found_out() -> None:
    broken = deepcopy(deployment("ingest"))
    containers(broken)[0]["livenesProbe"] = containers(broken)[0].pop("livenessProbe")
    with pytest.raises(kubernetes_validate.ValidationError, match="livenesProbe"):
        kubernetes_validate.validate(broken, OLDEST, strict=True)


@pytest.mark.parametrize("directory", [BASE, KEDA], ids=lambda directory: directory.name)
def test_every_file_is_applied(directory: Path) -> None:
    wanted = kustomization(directory)
    used = {"kustomization.yaml", *wanted["resources"]} | {
        name for generated in wanted.get("configMapGenerator", []) for name in generated["files"]
    }
    assert {path.name for path in directory.iterdir()} == {name for name in used if name != "../base"}


# --- The roles --------------------------------------------------------------------------------------------------------


def test_every_compose_service_is_deployed_except_redis_and_mock() -> None:
    assert {found["metadata"]["name"] for found in of_kind(APPLIED, "Deployment")} == {f"winback-{r}" for r in ROLES}


@each_role
def test_a_role_is_started_with_the_command_of_the_compose_file(role: str) -> None:
    assert container(role)["command"] == SERVICES[role]["command"]
    assert "args" not in container(role)


@each_role
def test_role_gets_the_secrets_it_has_in_compose(role: str) -> None:
    given = {name: value for name, value in variables(role).items() if isinstance(value, dict)}
    wanted = {name for name in SERVICES[role]["environment"] if SECRET.search(name)}
    assert given.keys() - {"WINBACK_BROKER_URL"} == wanted
    assert ("WINBACK_BROKER_URL" in given) == (role in CELERY)
    needed = {"WINBACK_REDIS_URL", "WINBACK_IDENTITY_SECRET", "WINBACK_FLOWER__BASIC_AUTH"}
    for name, value in given.items():
        assert value == {
            "secretKeyRef": {"name": "winback", "key": name} | ({} if name in needed else {"optional": True})
        }


@each_role
def test_no_secret_is_in_a_manifest(role: str) -> None:
    assert not [name for name, value in variables(role).items() if SECRET.search(name) and not isinstance(value, dict)]


def test_secret_example_has_exactly_what_roles_read() -> None:
    taken = {name for role in ROLES for name, value in variables(role).items() if isinstance(value, dict)}
    example = example_variables(KUBERNETES / "secret.env.example")
    handed_on = SERVICES["collect"]["environment"].items()
    webhooks = {"WINBACK_OUTCOMES__WEBHOOK_URL", "WINBACK_OUTCOMES__WEBHOOK_SECRETS"}
    collected = {name for name, value in handed_on if "COLLECT__" in name and value is None}
    assert example.keys() == taken | collected | webhooks
    required = {name for name in taken if "optional" not in variables_of_all()[name]["secretKeyRef"]}
    assert {name for name, value in example.items() if value == "?"} == required


def variables_of_all() -> dict[str, Any]:
    return {name: value for role in ROLES for name, value in variables(role).items()}


@each_role
def test_a_role_starts_with_the_settings_that_it_is_given(role: str, tmp_path: Path) -> None:
    made_up = {
        "WINBACK_REDIS_URL": "redis://:0000@redis.example.com:6379/0",
        "WINBACK_IDENTITY_SECRET": "0" * 64,
        "WINBACK_ENCRYPTION_KEYS": bytes(range(32)).hex(),
        "WINBACK_BROKER_URL": "redis://:0000@redis.example.com:6379/1",
        "WINBACK_FLOWER__BASIC_AUTH": "shop:0000",
        "WINBACK_DELIVERY__PUBLIC_API_KEY": "public",
        "WINBACK_DELIVERY__PRIVATE_SECRET_KEY": "private",
    }
    [mount] = [mount for mount in container(role)["volumeMounts"] if mount["name"] == "config"]
    [volume] = [volume for volume in pod(deployment(role))["volumes"] if volume["name"] == "config"]
    data = named(APPLIED, "ConfigMap", volume["configMap"]["name"])["data"]
    [file] = data
    (tmp_path / file).write_text(data[file])
    env = {name: value if isinstance(value, str) else made_up[name] for name, value in variables(role).items()}
    assert env["WINBACK_CONFIG"] == f"{mount['mountPath']}/{file}"
    settings = load({**env, "WINBACK_CONFIG": str(tmp_path / file)})
    assert settings.delivery.mode == "shadow"
    assert settings.redis_url == made_up["WINBACK_REDIS_URL"]
    assert {variable(path) for path in leaves(Settings)} >= env.keys()


def test_service_links_are_disabled() -> None:
    name = f"{of_kind(APPLIED, 'Service')[0]['metadata']['name'].upper().replace('-', '_')}_PORT"
    with pytest.raises(StartError, match=name):
        load({name: "tcp://10.0.0.1:5555"})
    assert all(pod(found)["enableServiceLinks"] is False for found in of_kind(APPLIED, "Deployment"))


# --- Who belongs to what ----------------------------------------------------------------------------------------------


@each_role
def test_deployment_selects_only_its_own_pods(role: str) -> None:
    selector = deployment(role)["spec"]["selector"]
    assert [r for r in ROLES if matches(selector, labels(deployment(r)))] == [role]
    for spread in pod(deployment(role)).get("topologySpreadConstraints", []):
        assert spread["labelSelector"] == selector


@pytest.mark.parametrize("resource", of_kind(APPLIED, "PodDisruptionBudget"), ids=title)
def test_budget_matches_its_role_and_lets_nodes_drain(resource: Resource) -> None:
    chosen = [r for r in ROLES if matches(resource["spec"]["selector"], labels(deployment(r)))]
    assert [f"winback-{role}" for role in chosen] == [resource["metadata"]["name"]]
    assert resource["spec"]["maxUnavailable"] == 1
    assert deployment(chosen[0])["spec"]["replicas"] > 1


def test_whatever_there_are_several_of_has_a_budget() -> None:
    several = {f["metadata"]["name"] for f in of_kind(APPLIED, "Deployment") if f["spec"]["replicas"] > 1}
    assert {found["metadata"]["name"] for found in of_kind(APPLIED, "PodDisruptionBudget")} == several


@pytest.mark.parametrize("role", PORTS)
def test_a_service_leads_to_the_port_that_its_role_listens_on(role: str) -> None:
    service = named(APPLIED, "Service", f"winback-{role}")
    assert [r for r in ROLES if matches({"matchLabels": service["spec"]["selector"]}, labels(deployment(r)))] == [role]
    [port], [listens] = service["spec"]["ports"], container(role)["ports"]
    assert port["targetPort"] == listens["name"] == "http"
    assert port["port"] == listens["containerPort"] == PORTS[role]


def test_every_port_that_is_listened_on_has_a_service() -> None:
    assert {role for role in ROLES if "ports" in container(role)} == set(PORTS)
    assert variables("flower")["WINBACK_FLOWER__PORT"] == str(PORTS["flower"])
    annotations = deployment("metrics")["spec"]["template"]["metadata"]["annotations"]
    assert annotations == {"prometheus.io/scrape": "true", "prometheus.io/port": str(DEFAULT_PORT)}


def test_only_metrics_is_reachable_and_only_recover_leaves() -> None:
    policies = of_kind(APPLIED, "NetworkPolicy")

    def ports(direction: str, role: str) -> set[int]:
        rules = [
            rule
            for policy in policies
            if matches(policy["spec"]["podSelector"], labels(deployment(role)))
            for rule in policy["spec"].get(direction, [])
        ]
        return {port["port"] for rule in rules for port in rule["ports"]}

    everybody = named(policies, "NetworkPolicy", "winback")
    assert everybody["spec"]["policyTypes"] == ["Ingress", "Egress"]
    assert all(matches(everybody["spec"]["podSelector"], labels(deployment(role))) for role in ROLES)
    assert {role: ports("ingress", role) for role in ROLES if ports("ingress", role)} == {"metrics": {DEFAULT_PORT}}
    assert {role for role in ROLES if 443 in ports("egress", role)} == {"recover"}
    assert all({53, 6379} <= ports("egress", role) for role in ROLES)


def test_the_image_is_named_once_and_by_its_version() -> None:
    images = {container["image"] for found in of_kind(APPLIED, "Deployment") for container in containers(found)}
    version = SERVICES["ingest"]["image"].rpartition(":")[2]
    assert images == {f"registry.example.com/winback:{version}"}


# --- The page ---------------------------------------------------------------------------------------------------------


def test_the_steps_of_the_page_name_files_that_are_there() -> None:
    page = (ROOT / "docs" / "guides" / "deploy-kubernetes.md").read_text()
    blocks = re.findall(r"```sh\n(.*?)```", page, re.DOTALL)
    words = [word for block in blocks for line in block.splitlines() for word in shlex.split(line, comments=True)]
    files = {word for word in words if word.startswith("deploy/")}
    assert {"deploy/kubernetes/base", "deploy/kubernetes/keda", "deploy/kubernetes/secret.env.example"} <= files
    made = {"deploy/kubernetes/secret.env"}
    assert [file for file in files - made if not (ROOT / file).exists()] == []
    assert all(file in (ROOT / ".gitignore").read_text() for file in made)
