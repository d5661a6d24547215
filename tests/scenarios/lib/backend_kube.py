"""A real control plane, testbed/control: KWOK plays the kubelets, and a stand-in that decides with Felix's own code opens real
listeners on the nodes' addresses. Two control planes are up for all scenarios; each begins by emptying its own."""

import json
import os
import pathlib
import subprocess

from lib import backend, kube_objects, kubeconfig, netns, rights
from lib.api import Api
from lib.backend import Backend, CannotRun, Failure, Started
from lib.kube_cleaner import Cleaner
from lib.kube_kinds import Kinds, eventually

CONTROL = backend.REPOSITORY / "testbed/control"
STARTS = "sim.catflap.dev/felix-starts"


def control(*arguments, place=None, seconds=1200):
    """Of the worker's own place, if none is given."""
    environment = os.environ if place is None else dict(os.environ, CATFLAP_CONTROL=place)
    done = subprocess.run([CONTROL, *arguments], capture_output=True, text=True, timeout=seconds, check=False, env=environment)
    if done.returncode == 3:
        raise CannotRun(done.stderr.strip())
    if done.returncode != 0:
        raise Failure(f"testbed/control {' '.join(arguments)}: {(done.stderr or done.stdout).strip()}")
    return done.stdout.strip()


class Here(Backend):
    name = "kube"
    places = ("", "b")
    _ours = []  # those that were not up before, and are not to stay

    @classmethod
    def prepare(cls, places):
        backend.program("catflap")
        for place in places:
            try:
                control("status", place=place)
            except Failure:
                cls._ours.append(place)
                control("up", place=place)

    @classmethod
    def finish(cls, keep):
        while cls._ours and not keep:
            control("down", place=cls._ours.pop())  # the first goes last: it may have made what all need

    @classmethod
    def prefix(cls, place):
        namespace = "catflap-control" + ("-" + place if place else "")
        return ["nsenter", f"--net=/run/netns/{namespace}", "--", "env", f"CATFLAP_CONTROL={place}"]

    def __init__(self, folder):
        super().__init__(folder)
        self._servers = []
        self._api = self._kinds = None
        self._stands_in = False

    def start(self, scenario):
        cluster = scenario.cluster
        if str(cluster.get("kubernetes", "1.33")) != "1.33":
            raise Failure("only Kubernetes 1.33 is built")
        if cluster.get("felix_cfg"):
            raise Failure("KWOK's containers have no files, so no felix.cfg")
        path = pathlib.Path(control("kubeconfig"))
        admin = kubeconfig.read(path)
        self._api = Api(admin, self.folder)
        self._kinds = Kinds(self._api)
        control("no-felix")
        Cleaner(self._api, self._kinds).clean()
        for words in (("nft", "delete", "table", "inet", netns.TABLE), ("ip", "link", "delete", netns.INTERFACE)):
            subprocess.run(words, capture_output=True, check=False)  # of the scenario before, if it had them
        netns.set_up(scenario.nodes())
        user = control("user", kube_objects.USER)
        for document in rights.objects(kube_objects.USER, cluster, kube_objects.OURS):
            self._kinds.create(document)
        self._start_servers(scenario)
        control("felix", *(["--vendor-default"] if cluster.get("vendor_default") else []))
        self._stands_in = True
        daemon_sets = self._create_objects(scenario)
        self._create_odd_pods(scenario, daemon_sets)
        for number, node in enumerate(scenario.nodes(), 1):
            self._kinds.create(kube_objects.node(number, node, "1.33"))
        eventually("settled nodes and pods", self._is_settled)
        self._end_odd_pods()
        for node in scenario.nodes():
            if node.get("ready") is False:
                self.disturb_node(node["name"], "NotReady")
        netns.filter_nodes(scenario.nodes(), cluster.get("network"))
        return Started(admin=admin, user=kubeconfig.read(user), admin_kubeconfig=path)

    def _start_servers(self, scenario):
        for node in scenario.nodes():
            for one in (scenario.cluster.get("listeners") or {}).get(node["name"], []):
                where = one.get("address", "*")
                for address in netns.addresses_of(node) if where == "*" else [where]:
                    self._start_server(one["serves"], address, one["port"], node["name"])

    def _start_server(self, kind, address, port, node):
        if address.startswith("127.") or address == "::1":
            return  # a node's own loopback: nothing that anybody here could reach
        place = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
        process = backend.own_child([backend.program("scenario_server"), kind, place, "--node", node],
                                    self.folder / "servers.log", stdout=subprocess.PIPE, text=True)
        self._servers.append(process)
        if process.stdout.readline().strip() != "listening":
            raise Failure(f"scenario_server {kind} {place}: {backend.tail(self.folder / 'servers.log')}")

    def _create_objects(self, scenario):
        """Returns [(DaemonSet as the API has it, {stale node: hash of its template}, hash of the newest)]."""
        try:
            objects = kube_objects.Objects(scenario.cluster)
        except ValueError as error:
            raise Failure(str(error)) from None
        for name in objects.namespaces():
            self._kinds.ensure_namespace(name)
        for document in objects.others():
            self._kinds.create(document)
        stale = {node: pod for node, pod in (scenario.cluster.get("pods") or {}).items() if pod.get("stale")}
        return [self._create_daemon_set(one, stale if kube_objects.felix_of(one["spec"]["template"]) else {})
                for one in objects.daemon_sets()]

    def _create_daemon_set(self, wanted, stale):
        made, hashes = None, {}
        for node, pod in [*stale.items(), (None, None)]:
            document = wanted if node is None else kube_objects.older(wanted, node, pod.get("env"))
            made = self._kinds.create(document) if made is None else self._kinds.replace(document)
            hashes[node] = self._newest_hash(made, len(hashes) + 1)
        return made, hashes

    def _newest_hash(self, daemon_set, count):
        def look():
            own = [one for one in self._api.items("/apis/apps/v1/controllerrevisions")
                   if one["metadata"]["ownerReferences"][0]["uid"] == daemon_set["metadata"]["uid"]]
            newest = max(own, key=lambda one: one["revision"], default=None)
            return newest["metadata"]["labels"]["controller-revision-hash"] if len(own) >= count else None
        return eventually(f"revision {count} of {daemon_set['metadata']['name']}", look)

    def _create_odd_pods(self, scenario, daemon_sets):
        """Before their nodes are there, so that the DaemonSet's controller finds them done."""
        for node, differs in (scenario.cluster.get("pods") or {}).items():
            for daemon_set, hashes in daemon_sets:
                if kube_objects.felix_of(daemon_set["spec"]["template"]):
                    self._kinds.create(kube_objects.pod(daemon_set, hashes.get(node, hashes[None]), node, differs))

    def _end_odd_pods(self):
        for pod in self._api.items("/api/v1/pods"):
            metadata = pod["metadata"]
            if kube_objects.HELD in metadata.get("finalizers", []):
                self._api.request("DELETE", f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}",
                                  {"apiVersion": "v1", "kind": "DeleteOptions", "gracePeriodSeconds": 30})

    def _is_settled(self):
        """Every node is Ready, the controllers have done their part, and the stand-in says that it has, too."""
        nodes, pods = self._api.items("/api/v1/nodes"), self._api.items("/api/v1/pods")
        if not all(is_ready(one) for one in nodes):
            return False
        for one in self._api.items("/apis/apps/v1/daemonsets"):
            status = one["status"]
            if status.get("observedGeneration") != one["metadata"]["generation"] or \
                    status["desiredNumberScheduled"] != status["currentNumberScheduled"]:
                return False
            hosts = {pod["spec"].get("nodeName") for pod in pods
                     if any(owner["uid"] == one["metadata"]["uid"] for owner in pod["metadata"].get("ownerReferences", []))}
            if len(hosts) < status["desiredNumberScheduled"] or not hosts <= {node["metadata"]["name"] for node in nodes}:
                return False
        if any(is_waiting(pod) for pod in pods):
            return False
        said = self._health()
        return len(said) == len(nodes) and all(one["settled"] for one in said.values())

    def _health(self):
        return json.loads(control("health"))["nodes"]

    def disturb_node(self, node, state):
        value = "true" if state == "NotReady" else None
        path = f"/api/v1/nodes/{node}"
        self._api.patch(path, {"metadata": {"annotations": {kube_objects.NOT_READY: value}}})
        eventually(f"{node} {state}", lambda: is_ready(self._api.get(path)) == (state == "Ready"))
        if state == "NotReady":  # and its pods are, by which the controllers know it
            eventually(f"{node}'s pods {state}", lambda: not any(
                is_ready(pod) for pod in self._api.items("/api/v1/pods") if pod["spec"].get("nodeName") == node))

    def felix_starts(self):
        self._health()  # numbers of one who does not count would be right by chance
        return {node["metadata"]["name"]: int(node["metadata"].get("annotations", {}).get(STARTS, 0))
                for node in self._api.items("/api/v1/nodes")}

    def logs(self):
        run = pathlib.Path(control("folder"))
        return "\n".join(backend.tail(path) for path in (run / "log/standin.log", run / "log/kwok.log"))

    def stop(self):
        for process in self._servers:
            backend.end(process)
        if self._stands_in:
            self._health()  # where nothing runs an address refuses for free
            control("no-felix")


def is_ready(node):
    return any(one["type"] == "Ready" and one["status"] == "True" for one in node["status"].get("conditions", []))


def is_waiting(pod):
    """It is about to run: not one whose image cannot be had."""
    return pod["status"].get("phase") == "Pending" and not pod["status"].get("containerStatuses")
