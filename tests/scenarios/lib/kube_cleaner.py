"""Empties a control plane of what a scenario, or catflap in it, left there."""

from lib import kube_objects
from lib.api import ApiError
from lib.kube_kinds import eventually

KEPT = {"kube-root-ca.crt", "extension-apiserver-authentication", "kube-apiserver-legacy-service-account-token-tracking"}
CALICO = "crd.projectcalico.org/v1"
# In this order: nobody makes again what was deleted before.
ALL = (("apps/v1", "DaemonSet"), ("apps/v1", "Deployment"), ("apps/v1", "ReplicaSet"), ("v1", "Node"), ("v1", "Pod"),
       ("apps/v1", "ControllerRevision"), ("v1", "ConfigMap"), ("v1", "Secret"), ("v1", "Event"),
       ("coordination.k8s.io/v1", "Lease"))
LABELLED = (("rbac.authorization.k8s.io/v1", "ClusterRoleBinding"), ("rbac.authorization.k8s.io/v1", "RoleBinding"),
            ("rbac.authorization.k8s.io/v1", "ClusterRole"), ("rbac.authorization.k8s.io/v1", "Role"),
            ("apiextensions.k8s.io/v1", "CustomResourceDefinition"))


class Cleaner:
    def __init__(self, api, kinds):
        self._api, self._kinds = api, kinds

    def clean(self):
        for version, kind in ALL:
            self._delete_all(version, kind)
        for kind in self._kinds.resources(CALICO):
            self._delete_all(CALICO, kind)
        label, value = next(iter(kube_objects.OURS.items()))
        for version, kind in LABELLED:
            self._delete_all(version, kind, f"?labelSelector={label}%3D{value}")
        eventually("an empty control plane", self._is_empty)

    def _is_empty(self):
        # A controller that had not seen the deletion may have made one more.
        self._delete_all("v1", "Pod")
        return not (self._api.items("/api/v1/nodes") or self._api.items("/api/v1/pods")
                    or self._api.items("/apis/apps/v1/daemonsets"))

    def _delete_all(self, version, kind, query=""):
        plural, _ = self._kinds.resources(version)[kind]
        path = ("/apis/" if "/" in version else "/api/") + f"{version}/{plural}"
        for one in self._api.items(path + query):
            metadata = one["metadata"]
            if metadata["name"] in KEPT or kind == "Lease" and metadata["namespace"] != "kube-node-lease":
                continue
            own = self._kinds.path(dict(one, apiVersion=version, kind=kind)) + "/" + metadata["name"]
            if metadata.get("finalizers"):
                self._api.request("PATCH", own, {"metadata": {"finalizers": None}}, "application/merge-patch+json")
            status, said = self._api.request("DELETE", own, {
                "apiVersion": "v1", "kind": "DeleteOptions", "gracePeriodSeconds": 0, "propagationPolicy": "Background"})
            if status not in (200, 202, 404):
                raise ApiError(f"DELETE {own}: {status} {said}")
