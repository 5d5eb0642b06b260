"""The pods in Kubernetes: their rights and resources, liveness checks and replacement."""

import re

import pytest

from detectors.durations import parse_duration
from tests.deploy.test_deploy import OURS, SERVICES
from tests.support.cli_support import dead_port, environment, make_healthy, run
from tests.support.manifests import APPLIED, container, deployment, named, of_kind, pod
from worker.runtime import State
from worker.settings import Settings
from worker.supervision.embedded_valkey import EmbeddedValkey

ROLES = sorted(set(OURS) - {"mock-api", "collect", "outcomes", "record"})
ASKED = {"flower": "/healthcheck", "metrics": "/healthz"}

each_role = pytest.mark.parametrize("role", ROLES)


@each_role
def test_a_pod_has_no_right_that_it_does_not_need(role: str) -> None:
    spec, only = pod(deployment(role)), container(role)
    user = int(SERVICES[role]["user"].partition(":")[0])
    assert spec["securityContext"] == {
        "runAsNonRoot": True,
        "runAsUser": user,
        "runAsGroup": user,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    assert only["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert spec["automountServiceAccountToken"] is False
    account = named(APPLIED, "ServiceAccount", spec["serviceAccountName"])
    assert account["automountServiceAccountToken"] is False
    assert not {"hostNetwork", "hostPID", "hostIPC", "hostname", "subdomain"} & spec.keys()
    assert [next(iter(volume.keys() - {"name"})) for volume in spec["volumes"]] == ["configMap", "emptyDir"]
    assert {mount["mountPath"]: mount.get("readOnly", False) for mount in only["volumeMounts"]} == {
        "/etc/winback": True,
        "/tmp": False,
    }


def test_the_namespace_refuses_pods_with_more_rights() -> None:
    [namespace] = of_kind(APPLIED, "Namespace")
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    assert {found["metadata"]["namespace"] for found in APPLIED if found is not namespace} == {
        namespace["metadata"]["name"]
    }


@each_role
def test_container_declares_resources_and_compose_limits(role: str) -> None:
    resources = container(role)["resources"]
    assert resources["requests"].keys() == {"cpu", "memory"}
    assert resources["limits"].keys() == {"memory"}
    most = bytes_of(resources["limits"]["memory"])
    assert bytes_of(resources["requests"]["memory"]) < most
    assert most <= bytes_of(SERVICES[role]["deploy"]["resources"]["limits"]["memory"])


def bytes_of(size: str) -> int:
    number, unit = re.fullmatch(r"(\d+)([MmGg])i?", size).groups()  # type: ignore[union-attr]
    return int(number) * (2**20 if unit in "Mm" else 2**30)


@each_role
def test_grace_period_is_at_least_that_of_compose(role: str) -> None:
    given = pod(deployment(role))["terminationGracePeriodSeconds"]
    assert given >= parse_duration(SERVICES[role]["stop_grace_period"]).total_seconds()
    if role == "recover":
        assert given > Settings().delivery.lease.total_seconds()


@each_role
def test_a_new_pod_is_at_work_before_an_old_one_ends(role: str) -> None:
    """A gap between two beats or sweeps of more than three intervals would delay every waiting session."""
    assert deployment(role)["spec"]["strategy"] == {
        "type": "RollingUpdate",
        "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0},
    }


@each_role
def test_a_container_is_asked_whether_it_lives(role: str) -> None:
    probes = {name: probe for name, probe in container(role).items() if name.endswith("Probe")}
    if role in ASKED:
        path = ASKED[role]
        assert probes.keys() == {"startupProbe", "readinessProbe", "livenessProbe"}
        assert all(probe["httpGet"] == {"path": path, "port": "http"} for probe in probes.values())
    else:
        assert probes.keys() == {"startupProbe", "livenessProbe"}
        check = SERVICES[role]["healthcheck"]["test"][1:]
        assert probes["startupProbe"]["exec"]["command"] == check
        assert probes["livenessProbe"]["exec"]["command"] == [*check, "--server-may-be-away"]
        start = probes["startupProbe"]
        assert start["periodSeconds"] * start["failureThreshold"] >= 60


@pytest.mark.xdist_group("valkey")
@pytest.mark.parametrize("role", sorted(set(ROLES) - set(ASKED)))
def test_a_pod_is_not_started_again_because_redis_is_away(real_state: State, valkey: EmbeddedValkey, role: str) -> None:
    def probe(name: str, url: str) -> int:
        program, *arguments = container(role)[name]["exec"]["command"]
        assert program == "winback"
        return run(*arguments, **environment(url))[0]

    away = f"redis://127.0.0.1:{dead_port()}/0"
    assert (probe("startupProbe", valkey.url), probe("livenessProbe", valkey.url)) == (1, 1)
    make_healthy(real_state)
    assert (probe("startupProbe", valkey.url), probe("livenessProbe", valkey.url)) == (0, 0)
    assert (probe("startupProbe", away), probe("livenessProbe", away)) == (1, 0)
