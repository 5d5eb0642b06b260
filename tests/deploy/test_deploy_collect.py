"""The collector's deployment files: it has its keys, a disk of its own, and no other right."""

from typing import Any

import kubernetes_validate
import pytest

from tests.deploy.test_deploy import SECRET, SERVICES
from tests.deploy.test_deploy_kubernetes import OLDEST, title
from tests.support.manifests import KUBERNETES, Resource, build, containers, matches, name_image, named, pod
from worker.settings import load
from worker.supervision.roles import roles

COLLECT = KUBERNETES / "collect"
APPLIED = build(COLLECT)
SET = named(APPLIED, "StatefulSet", "winback-collect")
[CONTAINER] = containers(SET)
VARIABLES: dict[str, Any] = {entry["name"]: entry.get("value", entry.get("valueFrom")) for entry in CONTAINER["env"]}
SERVICE = SERVICES["collect"]
VALUES = {
    "WINBACK_REDIS_URL": "redis://:0000@redis.example.com:6379/0",
    "WINBACK_IDENTITY_SECRET": "an identity secret for the tests",
    "WINBACK_ENCRYPTION_KEYS": bytes(range(32)).hex(),
    "WINBACK_COLLECT__SERVER_KEYS": "server-key-1",
    "WINBACK_COLLECT__PUBLIC_KEYS": "public-key-1",
    "WINBACK_COLLECT__SHOPIFY": '{"shop-a": ["secret-1"]}',
    "WINBACK_COLLECT__WOOCOMMERCE": '{"shop-a": ["secret-1"]}',
    "WINBACK_COLLECT__YUNO_SECRETS": "secret-1",
    "WINBACK_COLLECT__SEGMENT_SECRETS": "secret-1",
    "WINBACK_COLLECT__STANDARD_WEBHOOKS_SECRETS": "whsec_c2VjcmV0",
}


@pytest.mark.parametrize("version", [OLDEST, kubernetes_validate.latest_version()])
@pytest.mark.parametrize("resource", APPLIED, ids=title)
def test_kubernetes_knows_every_field(resource: Resource, version: str) -> None:
    kubernetes_validate.validate(resource, version, strict=True)


def test_every_file_starts_the_command_of_winback_up() -> None:
    settings = load({name: value for name, value in VALUES.items() if "COLLECT" in name})
    (role,) = (role for role in roles(settings) if role.name == "collect")
    command = ["winback", *role.argv[3:]]
    assert SERVICE["command"] == CONTAINER["command"] == command
    unit = (KUBERNETES.parent / "systemd" / "winback-collect.service").read_text()
    assert f"ExecStart=/opt/winback/bin/{' '.join(command)}\n" in unit
    assert "Environment=WINBACK_COLLECT__SPOOL=/var/lib/winback-collect\nStateDirectory=winback-collect\n" in unit


def test_collector_gets_its_keys_and_two_required_secrets() -> None:
    secrets = {name for name, value in VARIABLES.items() if isinstance(value, dict)}
    in_compose = {name for name in SERVICE["environment"] if SECRET.search(name) or name in VALUES}
    assert secrets == in_compose == set(VALUES)
    required = {"WINBACK_REDIS_URL", "WINBACK_IDENTITY_SECRET"}
    assert all(VARIABLES[name]["secretKeyRef"]["key"] == name for name in secrets)
    assert all(VARIABLES[name]["secretKeyRef"].get("optional", False) for name in secrets - required)


def test_collector_starts_with_the_values_that_it_is_given() -> None:
    env = {name: VALUES.get(name, value) for name, value in VARIABLES.items()}
    settings = load(env)
    assert settings.collect.is_on
    assert (settings.collect.address, settings.collect.port) == ("0.0.0.0", 8330)  # noqa: S104 - in a container
    assert load({name: value for name, value in env.items() if "COLLECT__S" in name}).collect.spool.is_absolute()


def test_spool_is_on_a_disk_of_its_own() -> None:
    spool = VARIABLES["WINBACK_COLLECT__SPOOL"]
    assert spool == SERVICE["environment"]["WINBACK_COLLECT__SPOOL"]
    [mount] = [mount for mount in CONTAINER["volumeMounts"] if spool.startswith(mount["mountPath"])]
    assert [claim["metadata"]["name"] for claim in SET["spec"]["volumeClaimTemplates"]] == [mount["name"]]
    assert [mount["target"] for mount in SERVICE["volumes"] if mount["type"] == "volume"] == [mount["mountPath"]]
    assert pod(SET)["securityContext"]["fsGroup"] == pod(SET)["securityContext"]["runAsGroup"]


def test_service_and_policies_reach_the_collector() -> None:
    labels = SET["spec"]["template"]["metadata"]["labels"]
    service = named(APPLIED, "Service", "winback-collect")
    assert matches({"matchLabels": service["spec"]["selector"]}, labels)
    [listens] = CONTAINER["ports"]
    policy = named(APPLIED, "NetworkPolicy", "winback-collect")
    assert policy["spec"]["ingress"] == [{"ports": [{"port": listens["containerPort"]}]}]
    assert all(
        matches(each["spec"][where], labels)
        for each, where in (
            (policy, "podSelector"),
            (named(APPLIED, "PodDisruptionBudget", "winback-collect"), "selector"),
        )
    )
    assert pod(SET)["enableServiceLinks"] is False


def test_image_is_the_one_of_the_other_roles() -> None:
    copy = [{"kind": "StatefulSet", "spec": {"template": {"spec": {"containers": [{"image": "winback"}]}}}}]
    name_image(copy, {"name": "winback", "newName": "registry", "newTag": "1"})
    assert containers(copy[0])[0]["image"] == "registry:1"
    assert CONTAINER["image"] == f"registry.example.com/{SERVICE['image']}"
