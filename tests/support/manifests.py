"""The Kubernetes manifests, combined like `kubectl apply -k`, as far as they need it."""

import re
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
KUBERNETES = ROOT / "deploy" / "kubernetes"
BASE, KEDA = KUBERNETES / "base", KUBERNETES / "keda"
FIELDS = {"apiVersion", "kind", "namespace", "resources", "configMapGenerator", "images", "patches"}

Resource = dict[str, Any]


def kustomization(directory: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((directory / "kustomization.yaml").read_text())
    assert found.keys() <= FIELDS, "the tests would leave that out"
    return found


def build(directory: Path) -> list[Resource]:
    """Return everything that is applied; the name of the ConfigMap is the one without its hash."""
    wanted = kustomization(directory)
    made: list[Resource] = []
    for name in wanted["resources"]:
        place = (directory / name).resolve()
        made += build(place) if place.is_dir() else list(yaml.safe_load_all(place.read_text()))
    for generated in wanted.get("configMapGenerator", []):
        files = {name: (directory / name).read_text() for name in generated["files"]}
        made.append({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": generated["name"]}, "data": files})
    for patch in wanted.get("patches", []):
        apply_patch(made, patch)
    for image in wanted.get("images", []):
        name_image(made, image)
    for resource in made:
        if resource["kind"] != "Namespace":
            resource["metadata"]["namespace"] = wanted["namespace"]
    return made


def apply_patch(made: list[Resource], patch: dict[str, Any]) -> None:
    target, operations = patch["target"], yaml.safe_load(patch["patch"])
    hit = [r for r in made if r["kind"] == target["kind"] and re.fullmatch(target["name"], r["metadata"]["name"])]
    assert hit, f"{target} is there no more"
    for resource in hit:
        for operation in operations:
            remove(resource, operation)


def name_image(made: list[Resource], image: dict[str, str]) -> None:
    for workload in (resource for resource in made if resource["kind"] in {"Deployment", "StatefulSet"}):
        for container in containers(workload):
            if container["image"] == image["name"]:
                container["image"] = f"{image['newName']}:{image['newTag']}"


def remove(resource: Resource, operation: dict[str, str]) -> None:
    """Carry out the only JSON operation that is used."""
    assert operation.keys() == {"op", "path"}
    assert operation["op"] == "remove"
    *parents, last = operation["path"].strip("/").split("/")
    for name in parents:
        resource = resource[name]
    del resource[last]


def of_kind(resources: list[Resource], kind: str) -> list[Resource]:
    found = [resource for resource in resources if resource["kind"] == kind]
    assert found
    return found


def named(resources: list[Resource], kind: str, name: str) -> Resource:
    [found] = [resource for resource in of_kind(resources, kind) if resource["metadata"]["name"] == name]
    return found


def pod(deployment: Resource) -> Resource:
    found: Resource = deployment["spec"]["template"]["spec"]
    return found


def containers(deployment: Resource) -> list[Resource]:
    spec = pod(deployment)
    return [*spec.get("initContainers", []), *spec["containers"]]


def matches(selector: dict[str, Any], labels: dict[str, str]) -> bool:
    assert selector.keys() == {"matchLabels"}
    return bool(selector["matchLabels"].items() <= labels.items())


def strict(schema: Any) -> Any:  # noqa: ANN401 - any part of a schema
    """Return a custom resource's schema that rejects unknown fields instead of dropping them silently."""
    if isinstance(schema, list):
        return [strict(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    made = {name: strict(part) for name, part in schema.items()}
    if "properties" in made and "additionalProperties" not in made:
        made["additionalProperties"] = False
    return made


APPLIED = build(BASE)
SCALING = build(KEDA)


def deployment(role: str) -> Resource:
    return named(APPLIED, "Deployment", f"winback-{role}")


def container(role: str) -> Resource:
    [found] = containers(deployment(role))
    return found


def variables(role: str) -> dict[str, Any]:
    """Return the variables of a role's container, each by value or source."""
    return {entry["name"]: entry.get("value", entry.get("valueFrom")) for entry in container(role)["env"]}


def labels(deployed: Resource) -> dict[str, str]:
    found: dict[str, str] = deployed["spec"]["template"]["metadata"]["labels"]
    return found
