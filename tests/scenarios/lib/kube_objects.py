"""The `cluster:` part of a scenario as the objects that a real API server is given. Pure: nothing is read or written here."""

import base64
import copy
import pathlib

import yaml

INSTALLS = pathlib.Path(__file__).resolve().parents[1] / "installs"
FELIX = "calico-node"  # the container
KUBELET = {"sim.catflap.dev/kubelet": "kwok"}  # nodes that KWOK looks after
NOT_READY = "sim.catflap.dev/not-ready"
NEVER_READY = "sim.catflap.dev/never-ready"
HELD = "sim.catflap.dev/terminating"  # a finalizer: what is deleted stays
OURS = {"sim.catflap.dev/scenario": "this"}  # on what belongs to no install
USER = "user"  # as the embedded cluster calls it, so that refusals read the same
CLUSTER_WIDE = {"Namespace", "Node", "ClusterRole", "ClusterRoleBinding", "CustomResourceDefinition", "PriorityClass", "APIService",
                "FelixConfiguration", "ClusterInformation", "Installation", "TigeraStatus", "IPPool", "KubeControllersConfiguration",
                "GlobalNetworkPolicy", "HostEndpoint", "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"}


def merged(target, patch):
    """RFC 7396."""
    if not isinstance(patch, dict):
        return copy.deepcopy(patch)
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value)
    return result


def with_env(entries, changes):
    """A map sets by name where the name stands, or at the end; a list is appended in order, duplicates kept."""
    if isinstance(changes, list):
        return [*entries, *copy.deepcopy(changes)]
    result = list(entries)
    for name, value in (changes or {}).items():
        entry = {"name": name, "value": value}
        places = [index for index, one in enumerate(result) if one["name"] == name]
        if places:
            result[places[0]] = entry
        else:
            result.append(entry)
    return result


def felix_of(pod_template):
    return next((one for one in pod_template["spec"].get("containers", []) if one["name"] == FELIX), None)


def set_env(pod_template, changes):
    container = felix_of(pod_template)
    if container is not None and changes:
        container["env"] = with_env(container.get("env", []), changes)


class Objects:
    """All but nodes, pods and rights, in the order in which they are to be created."""

    def __init__(self, cluster):
        self._all = {}  # (kind, namespace, name): object
        for document in yaml.safe_load_all((INSTALLS / f"{cluster.get('install', 'manifest')}.yaml").read_text()):
            self._apply(document)
        self._set_version(cluster.get("calico", "v3.30.1"))
        for document in cluster.get("objects") or []:
            self._apply(document)
        for patch in cluster.get("patches") or []:
            key = self._find(patch["target"])
            self._all[key] = merged(self._all[key], patch["merge"])
        for daemon_set in self.daemon_sets():
            set_env(daemon_set["spec"]["template"], cluster.get("env"))

    def _apply(self, document):
        if not document:
            return
        if document["kind"] == "List":
            for item in document["items"]:
                self._apply(item)
            return
        document = copy.deepcopy(document)
        metadata = document["metadata"]
        if document["kind"] not in CLUSTER_WIDE:
            metadata.setdefault("namespace", "default")
        if document["kind"] == "Secret":
            for name, value in document.pop("stringData", {}).items():
                document.setdefault("data", {})[name] = base64.b64encode(value.encode()).decode()
        key = (document["kind"], metadata.get("namespace", ""), metadata["name"])
        self._all[key] = merged(self._all.get(key, {}), document)

    def _find(self, target):
        kind, *place = target.split("/")
        kind = kind.partition(".")[0].lower().rstrip("s")
        for key in self._all:
            if key[0].lower() == kind and [part for part in key[1:] if part] == place:
                return key
        raise ValueError(f"patches: there is no {target}")

    def _set_version(self, version):
        for daemon_set in self.daemon_sets():
            spec = daemon_set["spec"]["template"]["spec"]
            for container in [*spec.get("initContainers", []), *spec["containers"]]:
                name, _, tag = container["image"].rpartition(":")
                if "calico" in name and "/" not in tag:
                    container["image"] = f"{name}:{version}"
        for (kind, _, name), document in self._all.items():
            if kind == "ClusterInformation" and name == "default":
                document.setdefault("spec", {})["calicoVersion"] = version

    def daemon_sets(self):
        return [one for key, one in self._all.items() if key[0] == "DaemonSet"]

    def namespaces(self):
        return sorted({key[2] for key in self._all if key[0] == "Namespace"} | {key[1] for key in self._all if key[1]})

    def others(self):
        """Without namespaces and DaemonSets."""
        return [one for key, one in self._all.items() if key[0] not in ("Namespace", "DaemonSet")]


def older(daemon_set, node, env):
    """The DaemonSet as it was when the stale pod of this node was made."""
    result = copy.deepcopy(daemon_set)
    pod_template = result["spec"]["template"]
    pod_template.setdefault("metadata", {}).setdefault("annotations", {})["sim.catflap.dev/older"] = node
    set_env(pod_template, env)
    return result


def node(number, given, version):
    addresses = [one if isinstance(one, dict) else {"address": one} for one in given["addresses"]]
    labels = {"kubernetes.io/hostname": given["name"], "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64"}
    labels |= given.get("labels") or {}
    info = {"operatingSystem": labels["kubernetes.io/os"], "architecture": labels["kubernetes.io/arch"],
            "kubeletVersion": f"v{version}.0", "machineID": f"{number:032x}", "systemUUID": f"{number}", "bootID": f"00000000-0000-4000-8000-{number:012x}",
            "kernelVersion": "6.1.0", "osImage": "none", "containerRuntimeVersion": "kwok://0.8.0", "kubeProxyVersion": ""}
    return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": given["name"], "labels": labels | KUBELET},
            "spec": {"taints": given.get("taints") or []},
            "status": {"nodeInfo": info, "addresses": [
                *({"type": one.get("type", "InternalIP"), "address": one["address"]} for one in addresses),
                {"type": "Hostname", "address": given["name"]}]}}


def pod(daemon_set, revision, node_name, differs):
    """One that the DaemonSet takes for its own, as its controller would have made it, but for what `differs`."""
    pod_template = copy.deepcopy(daemon_set["spec"]["template"])
    set_env(pod_template, differs.get("env"))
    metadata = pod_template.get("metadata", {})
    labels = dict(metadata.get("labels", {}), **{"controller-revision-hash": revision, "pod-template-generation": "1"})
    annotations = dict(metadata.get("annotations", {}))
    if differs.get("ready") is False:
        annotations[NEVER_READY] = "true"
    tolerations = [{"key": f"node.kubernetes.io/{key}", "operator": "Exists", "effect": effect} for key, effect in (
        ("not-ready", "NoExecute"), ("unreachable", "NoExecute"), ("disk-pressure", "NoSchedule"),
        ("memory-pressure", "NoSchedule"), ("pid-pressure", "NoSchedule"), ("unschedulable", "NoSchedule"),
        ("network-unavailable", "NoSchedule"))]
    spec = pod_template["spec"]
    spec["tolerations"] = [*spec.get("tolerations", []), *tolerations]
    spec["nodeName"] = node_name
    owner = {"apiVersion": "apps/v1", "kind": "DaemonSet", "name": daemon_set["metadata"]["name"],
             "uid": daemon_set["metadata"]["uid"], "controller": True, "blockOwnerDeletion": True}
    return {"apiVersion": "v1", "kind": "Pod", "spec": spec, "metadata": {
        "generateName": daemon_set["metadata"]["name"] + "-", "namespace": daemon_set["metadata"]["namespace"],
        "labels": labels, "annotations": annotations, "ownerReferences": [owner],
        "finalizers": [HELD] if differs.get("terminating") else []}}
