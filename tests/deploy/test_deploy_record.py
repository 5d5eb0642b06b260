"""The recorder's deployment files: it has the identity secret, a disk of its own, and no other right."""

from typing import Any

import kubernetes_validate
import pytest

from tests.deploy.test_deploy import SERVICES
from tests.deploy.test_deploy_kubernetes import OLDEST, title
from tests.support.manifests import KUBERNETES, Resource, build, containers, named, pod
from worker.settings import load
from worker.supervision.roles import roles

APPLIED = build(KUBERNETES / "record")
SET = named(APPLIED, "StatefulSet", "winback-record")
[CONTAINER] = containers(SET)
VARIABLES: dict[str, Any] = {entry["name"]: entry.get("value", entry.get("valueFrom")) for entry in CONTAINER["env"]}
SERVICE = SERVICES["record"]


@pytest.mark.parametrize("version", [OLDEST, kubernetes_validate.latest_version()])
@pytest.mark.parametrize("resource", APPLIED, ids=title)
def test_kubernetes_knows_every_field(resource: Resource, version: str) -> None:
    kubernetes_validate.validate(resource, version, strict=True)


def test_every_file_starts_the_command_of_winback_up() -> None:
    (role,) = (role for role in roles(load({"WINBACK_RECORD__DIRECTORY": "rec"})) if role.name == "record")
    command = ["winback", *role.argv[3:]]
    assert SERVICE["command"] == CONTAINER["command"] == command
    unit = (KUBERNETES.parent / "systemd" / "winback-record.service").read_text()
    assert f"ExecStart=/opt/winback/bin/{' '.join(command)}\n" in unit
    assert "Environment=WINBACK_RECORD__DIRECTORY=/var/lib/winback-record\nStateDirectory=winback-record\n" in unit


def test_recorder_gets_two_secrets_and_no_encryption_key() -> None:
    secrets = {name for name, value in VARIABLES.items() if isinstance(value, dict)}
    assert secrets == {"WINBACK_REDIS_URL", "WINBACK_IDENTITY_SECRET"}
    assert all(VARIABLES[name]["secretKeyRef"] == {"name": "winback", "key": name} for name in secrets)
    assert "WINBACK_ENCRYPTION_KEYS" not in SERVICE["environment"]


def test_recordings_are_on_a_disk_of_their_own() -> None:
    directory = VARIABLES["WINBACK_RECORD__DIRECTORY"]
    assert directory == SERVICE["environment"]["WINBACK_RECORD__DIRECTORY"]
    [mount] = [mount for mount in CONTAINER["volumeMounts"] if directory.startswith(mount["mountPath"])]
    assert [claim["metadata"]["name"] for claim in SET["spec"]["volumeClaimTemplates"]] == [mount["name"]]
    assert [mount["target"] for mount in SERVICE["volumes"] if mount["type"] == "volume"] == [mount["mountPath"]]
    assert pod(SET)["securityContext"]["fsGroup"] == pod(SET)["securityContext"]["runAsGroup"]


def test_health_is_asked_in_the_same_way() -> None:
    check = SERVICE["healthcheck"]["test"][1:]
    assert CONTAINER["startupProbe"]["exec"]["command"] == check
    assert CONTAINER["livenessProbe"]["exec"]["command"] == [*check, "--server-may-be-away"]


def test_recorder_reaches_redis_only() -> None:
    assert [resource["kind"] for resource in APPLIED] == ["StatefulSet"]
    assert SERVICE["networks"] == ["state"]


def test_image_is_the_one_of_the_other_roles() -> None:
    assert CONTAINER["image"] == f"registry.example.com/{SERVICE['image']}"
