"""The deployment files of the sender of webhooks: it has its own secrets, and no other right."""

from typing import Any

import kubernetes_validate
import pytest

from tests.deploy.test_deploy import SERVICES
from tests.deploy.test_deploy_kubernetes import OLDEST, title
from tests.support.manifests import KUBERNETES, Resource, build, containers, matches, named
from worker.settings import load
from worker.supervision.roles import roles

APPLIED = build(KUBERNETES / "outcomes")
DEPLOYMENT = named(APPLIED, "Deployment", "winback-outcomes")
[CONTAINER] = containers(DEPLOYMENT)
VARIABLES: dict[str, Any] = {entry["name"]: entry["valueFrom"]["secretKeyRef"]["key"] for entry in CONTAINER["env"]}
SERVICE = SERVICES["outcomes"]
VALUES = {
    "WINBACK_REDIS_URL": "redis://:0000@redis.example.com:6379/0",
    "WINBACK_OUTCOMES__WEBHOOK_URL": "https://shop.example/winback",
    "WINBACK_OUTCOMES__WEBHOOK_SECRETS": "whsec_b2xkIG9sZCBvbGQgb2xkIG9sZCBvbGQh",
}


@pytest.mark.parametrize("version", [OLDEST, kubernetes_validate.latest_version()])
@pytest.mark.parametrize("resource", APPLIED, ids=title)
def test_kubernetes_knows_every_field(resource: Resource, version: str) -> None:
    kubernetes_validate.validate(resource, version, strict=True)


def test_every_file_starts_the_command_of_winback_up() -> None:
    (role,) = (role for role in roles(load(VALUES)) if role.name == "outcomes")
    command = ["winback", *role.argv[3:]]
    assert SERVICE["command"] == CONTAINER["command"] == command
    unit = (KUBERNETES.parent / "systemd" / "winback-outcomes.service").read_text()
    assert f"ExecStart=/opt/winback/bin/{' '.join(command)}\n" in unit


def test_pod_gets_its_three_values_from_the_secret() -> None:
    assert {name: name for name in VALUES} == VARIABLES
    assert {name for name in SERVICE["environment"] if "OUTCOMES" in name} == {"WINBACK_OUTCOMES__WEBHOOK_SECRETS"}
    assert SERVICE["profiles"] == ["outcomes"]


def test_health_is_asked_in_the_same_way() -> None:
    check = SERVICE["healthcheck"]["test"][1:]
    assert CONTAINER["startupProbe"]["exec"]["command"] == check
    assert CONTAINER["livenessProbe"]["exec"]["command"] == [*check, "--server-may-be-away"]


def test_policy_lets_it_reach_the_receiver() -> None:
    policy = named(APPLIED, "NetworkPolicy", "winback-outcomes")
    assert matches(policy["spec"]["podSelector"], DEPLOYMENT["spec"]["template"]["metadata"]["labels"])
    assert policy["spec"]["egress"] == [{"ports": [{"port": 443}]}]


def test_image_is_the_one_of_the_other_roles() -> None:
    assert CONTAINER["image"] == f"registry.example.com/{SERVICE['image']}"
