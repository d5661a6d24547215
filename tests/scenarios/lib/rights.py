"""The rights of a scenario's user as objects: the shipped roles of deploy/, without what the scenario takes away again."""

import pathlib

import yaml

DEPLOY = pathlib.Path(__file__).resolve().parents[3] / "deploy"
GROUP = "rbac.authorization.k8s.io"
DEFAULT = ["closer"]  # complete: what close needs, verify and diagnose need too


def objects(user, cluster, labels=None):
    """Roles and bindings for the user of this `cluster`, with these labels."""
    made = []
    for role in cluster.get("rbac", DEFAULT):
        for document in filter(None, yaml.safe_load_all((DEPLOY / f"{role}.yaml").read_text())):
            if document["kind"] not in ("Role", "ClusterRole"):
                continue
            name = f"{user}-{document['metadata']['name']}"
            metadata = {"name": name, "labels": labels or {}}
            if "namespace" in document["metadata"]:
                metadata["namespace"] = document["metadata"]["namespace"]
            rules = [left for rule in document["rules"] for left in without(rule, cluster.get("deny") or [])]
            made.append(dict(document, metadata=metadata, rules=rules))
            made.append({
                "apiVersion": f"{GROUP}/v1", "kind": document["kind"] + "Binding", "metadata": metadata,
                "roleRef": {"apiGroup": GROUP, "kind": document["kind"], "name": name},
                "subjects": [{"kind": "User", "apiGroup": GROUP, "name": user}]})
    return made


def without(rule, deny):
    """The rule as one rule a resource, each with the verbs that are left."""
    left = []
    for resource in rule["resources"]:
        taken = {one["verb"] for one in deny if one["resource"] == resource}
        verbs = [verb for verb in rule["verbs"] if verb not in taken]
        if verbs:
            left.append(dict(rule, resources=[resource], verbs=verbs))
    return left
