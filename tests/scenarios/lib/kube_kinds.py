"""Objects of any kind, written to a real API server as admin. A kind that it does not know gets a definition without a schema."""

import time

from lib.api import ApiError
from lib.backend import Failure
from lib.kube_objects import CLUSTER_WIDE, OURS

DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
SECONDS = 60  # for something to come about on a busy machine


def eventually(what, look, seconds=SECONDS):
    """The first answer of look() that is not empty."""
    deadline = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > deadline:
            raise Failure(f"after {seconds} s there is not yet: {what}")
        time.sleep(0.05)


class Kinds:
    def __init__(self, api):
        self._api = api
        self._known = {}  # apiVersion: {kind: (plural, namespaced)}

    def resources(self, version, fresh=False):
        """{kind: (plural, namespaced)} of a group and version."""
        if fresh or version not in self._known:
            found = self._api.get(root(version)) or {}
            self._known[version] = {one["kind"]: (one["name"], one["namespaced"]) for one in found.get("resources", [])
                                    if "/" not in one["name"]}
        return self._known[version]

    def path(self, document):
        """Of the collection that the object belongs to."""
        version, kind = document["apiVersion"], document["kind"]
        if kind not in self.resources(version):
            self._define(version, kind)
        plural, namespaced = self.resources(version)[kind]
        namespace = f"/namespaces/{document['metadata'].get('namespace', 'default')}" if namespaced else ""
        return f"{root(version)}{namespace}/{plural}"

    def create(self, document):
        """What is there already (a service account, say) is replaced."""
        path = self.path(document)
        status, made = self._api.request("POST", path, document)
        if status == 409 and made.get("reason") == "AlreadyExists":
            return self.replace(document)
        if status not in (200, 201):
            raise ApiError(f"POST {path}: {status} {made}")
        return made

    def replace(self, document):
        """All of it: what the document does not say is gone afterwards."""
        path = f"{self.path(document)}/{document['metadata']['name']}"

        def put():
            there = self._api.get(path)["metadata"]["resourceVersion"]
            wanted = dict(document, metadata=dict(document["metadata"], resourceVersion=there))
            status, made = self._api.request("PUT", path, wanted)
            if status not in (200, 409):
                raise ApiError(f"PUT {path}: {status} {made}")
            return made if status == 200 else None  # 409: its controller wrote to it meanwhile

        return eventually(f"{document['kind']} {document['metadata']['name']}", put)

    def ensure_namespace(self, name):
        if self._api.get(f"/api/v1/namespaces/{name}") is None:
            self.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})

    def _define(self, version, kind):
        group, _, number = version.partition("/")
        plural = kind.lower() + ("" if kind.endswith("s") else "s")
        anything = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
        self.create({
            "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": f"{plural}.{group}", "labels": OURS},
            "spec": {"group": group, "scope": "Cluster" if kind in CLUSTER_WIDE else "Namespaced",
                     "names": {"plural": plural, "singular": kind.lower(), "kind": kind},
                     "versions": [{"name": number, "served": True, "storage": True, "schema": {"openAPIV3Schema": anything}}]}})
        eventually(f"{kind} of {version}", lambda: kind in self.resources(version, fresh=True))
        # It is in the discovery a moment before it is served.
        eventually(f"{plural}.{group}", lambda: self._api.request("GET", f"{root(version)}/{plural}")[0] == 200)


def root(version):
    return f"/apis/{version}" if "/" in version else f"/api/{version}"
