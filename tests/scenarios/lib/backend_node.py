"""The real cluster of testbed/cluster: real kubelet, containerd and Felix, one scenario after the other.

It plays what a cluster that exists can be put into: environment, objects, patches, listeners and packet filters on its three
nodes. It is brought up for the scenarios and taken down after them, unless it was up.
"""

import importlib.util
import os
import pathlib
import shutil
import subprocess
import threading
import time

from lib import backend, kubeconfig, rights
from lib.api import Api
from lib.backend import Backend, CannotRun, Failure, Started
from lib.schema import Problem

SCRIPT = str(backend.REPOSITORY / "testbed/cluster")
RUN = pathlib.Path(os.environ.get("CATFLAP_RUN", "/var/lib/catflap-cluster"))
CANNOT = 3  # the script's exit code on a machine that cannot run it
USER = "scenario"
SWITCH = "FELIX_PROMETHEUSMETRICSENABLED"
DAEMONSET = "/apis/apps/v1/namespaces/kube-system/daemonsets/calico-node"
PODS = "/api/v1/namespaces/kube-system/pods?labelSelector=k8s-app=calico-node"
PLAYED = {"kubernetes", "calico", "install", "env", "objects", "patches", "listeners", "network", "rbac", "deny", "owner", "nodes"}
FILTERS = {  # from outside of the node: what comes in by its one interface
    "drop": "ct state new meta l4proto tcp drop",
    "reject": "ct state new meta l4proto tcp reject with icmpx type port-unreachable",
    "drop-9091": "tcp dport 9091 drop",
    "reject-9091": "tcp dport 9091 reject with icmpx type port-unreachable",
}
RESTORED = ("DaemonSet", "FelixConfiguration")  # by the script's reset
READ_AT_START = ("ConfigMap", "Secret")  # of a container
SETTLING = 4  # seconds in which a Felix that saw its configuration change is up again


def script(*arguments, seconds=300, stdin=None):
    done = subprocess.run([SCRIPT, *arguments], input=stdin, capture_output=True, text=True, timeout=seconds, check=False)
    if done.returncode == CANNOT:
        raise CannotRun((done.stderr.strip().splitlines() or ["no reason given"])[-1])
    if done.returncode != 0:
        raise Failure(f"testbed/cluster {' '.join(arguments)}: {done.stderr[-2000:]}{done.stdout[-500:]}")
    return done.stdout


class Here(Backend):
    name = "node"
    places = ("",)
    settle = "10s"  # a real Felix takes its time to restart
    timeout = "240s"
    _was_up = True

    @classmethod
    def prepare(cls, places):
        backend.program("scenario_server")
        cls._was_up = subprocess.run([SCRIPT, "status"], capture_output=True, check=False).returncode == 0
        if not cls._was_up:
            script("up", seconds=900)

    @classmethod
    def finish(cls, keep):
        if not keep and not cls._was_up:
            script("down")

    @classmethod
    def prefix(cls, place):
        return [SCRIPT, "in"]

    def __init__(self, folder):
        super().__init__(folder)
        self._api = self._starts = None
        self._undo = []  # what stop calls, the last first
        self._read_otherwise = False  # pods have read what is not so any more when that was undone

    def start(self, scenario):
        cluster = scenario.cluster
        refuse(scenario)
        admin_path = pathlib.Path(script("kubeconfig").strip())
        admin = kubeconfig.read(admin_path)
        self._api = Api(admin, self.folder)
        self._settings(cluster)
        user = kubeconfig.read(script("user", USER).strip())
        for made in rights.objects(USER, cluster):
            self._apply(made)
        for node, action in (cluster.get("network") or {}).items():
            self._filter(node, action)
        time.sleep(SETTLING)
        self._starts = Starts()
        return Started(admin=admin, user=user, admin_kubeconfig=admin_path)

    def _settings(self, cluster):
        """Environment, objects and patches. Listeners come before a Felix that may want their port."""
        env = cluster.get("env") or {}
        plain = list(env) == [SWITCH] and isinstance(env, dict) and env[SWITCH] in ("true", "false")
        by_reset = plain and not any(cluster.get(key) for key in ("listeners", "objects", "patches"))
        script("reset", "--env", env[SWITCH] if by_reset else "absent")
        if by_reset:
            self._until("all calico-node pods are Ready", self._ready)
            return
        for node, listeners in (cluster.get("listeners") or {}).items():
            for one in listeners:
                self._listen(node, one)
        for made in cluster.get("objects") or []:
            self._apply(made)
        for patch in cluster.get("patches") or []:
            self._patch(self._api.path_of(patch["target"]), patch["merge"])
        if env:
            self._set_env(env)
        self._roll()

    def _set_env(self, env):
        found = self._api.get(DAEMONSET)
        containers = found["spec"]["template"]["spec"]["containers"]
        own = next(one for one in containers if one["name"] == "calico-node").setdefault("env", [])
        if isinstance(env, dict):
            own[:] = [one for one in own if one["name"] not in env]
            env = [{"name": name, "value": value} for name, value in env.items()]
        own += env
        status, said = self._api.request("PUT", DAEMONSET, found)
        if status != 200:
            raise Failure(f"the environment could not be set: {said}")

    def _roll(self):
        """All at once: nobody needs this cluster's network in the meantime. And pods read ConfigMaps only when they start."""
        self._until("the controller looks at the DaemonSet", self._seen)
        before = {pod["metadata"]["uid"] for pod in self._api.items(PODS)}
        self._delete_pods()
        self._until("all calico-node pods run anew and are Ready", lambda: self._run_anew(before))

    def _delete_pods(self):
        for pod in self._api.items(PODS):
            self._api.request("DELETE", f"/api/v1/namespaces/kube-system/pods/{pod['metadata']['name']}")

    def _seen(self):
        found = self._api.get(DAEMONSET)
        return found["status"].get("observedGeneration") == found["metadata"]["generation"]

    def _run_anew(self, before):
        """The DaemonSet's own counts lag behind: the old pods are Ready in them until the controller has seen them go."""
        pods = self._api.items(PODS)
        wanted = self._api.get(DAEMONSET)["status"]["desiredNumberScheduled"]
        return len(pods) == wanted and all(
            pod["metadata"]["uid"] not in before and any(
                one["type"] == "Ready" and one["status"] == "True" for one in pod["status"].get("conditions", []))
            for pod in pods)

    def _ready(self):
        status = self._api.get(DAEMONSET)["status"]
        wanted = status["desiredNumberScheduled"]
        return self._seen() and status.get("updatedNumberScheduled") == wanted == status.get("numberReady", 0)

    @staticmethod
    def _until(what, condition, seconds=120):
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                raise Failure(f"not after {seconds} s: {what}")
            time.sleep(0.3)

    # --- objects ---

    def _apply(self, made):
        meta = made["metadata"]
        group = made["apiVersion"].partition("/")[0] if "/" in made["apiVersion"] else ""
        root = f"/apis/{made['apiVersion']}" if group else "/api/v1"
        namespace = f"/namespaces/{meta['namespace']}" if "namespace" in meta else ""
        folder = f"{root}{namespace}/{made['kind'].lower()}s"
        path = f"{folder}/{meta['name']}"
        self._read_otherwise |= made["kind"] in READ_AT_START
        if self._api.get(path):
            self._patch(path, made)
            return
        status, said = self._api.request("POST", folder, made)
        if status != 201:
            raise Failure(f"{path} could not be made: {said}")
        now = "?gracePeriodSeconds=0" if made["kind"] == "Pod" else ""  # nothing in it listens to a signal
        self._undo.append(lambda: self._api.request("DELETE", path + now))
        if made["kind"] == "Pod":
            self._until(f"{path} runs", lambda: self._api.get(path)["status"]["phase"] == "Running")

    def _patch(self, path, merge):
        before = self._api.get(path)
        if before is None:
            raise Failure(f"there is no {path} to patch")
        self._read_otherwise |= before["kind"] in READ_AT_START
        self._api.patch(path, merge)
        if before["kind"] not in RESTORED:
            self._undo.append(lambda: self._put_back(path, before))

    def _put_back(self, path, before):
        now = self._api.get(path)  # its version: a custom resource is not replaced without
        before["metadata"]["resourceVersion"] = (now or before)["metadata"]["resourceVersion"]
        status, said = self._api.request("PUT", path, before)
        if status != 200:
            raise Failure(f"{path} could not be put back: {said}")

    # --- nodes ---

    def _filter(self, node, action):
        table = f"table inet scenario {{\n chain input {{\n  type filter hook input priority -300;\n  iifname \"eth0\" {FILTERS[action]}\n }}\n}}\n"
        script("node-exec", node, "nft", "-f", "-", stdin=table)
        self._undo.append(lambda: script("node-exec", node, "nft", "delete", "table", "inet", "scenario"))

    def _listen(self, node, one):
        shutil.copy2(backend.program("scenario_server"), RUN / "nodes" / node / "scenario_server")  # its /run/catflap
        address = one.get("address", "*")
        address = "::" if address == "*" else address  # of both families then
        self._serve(node, one["serves"], f"[{address}]:{one['port']}" if ":" in address else f"{address}:{one['port']}")

    def _serve(self, node, kind, endpoint):
        process = subprocess.Popen(
            [SCRIPT, "node-exec", node, "sh", "-c", 'echo $$; exec /run/catflap/scenario_server "$@"', "sh", kind, endpoint,
             "--node", node], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, start_new_session=True)
        pid = process.stdout.readline().strip()
        if pid:
            self._undo.append(lambda: (script("node-exec", node, "kill", "-9", pid), process.wait(10)))
        if process.stdout.readline().strip() != "listening":
            raise Failure(f"{kind} does not listen at {endpoint} of {node}")

    def disturb_node(self, node, state):
        script("pause-kubelet" if state == "NotReady" else "resume-kubelet", node)
        wanted = "True" if state == "Ready" else "Unknown"
        self._until(f"{node} is {state}", lambda: wanted in [
            one["status"] for one in self._api.get(f"/api/v1/nodes/{node}")["status"]["conditions"] if one["type"] == "Ready"])

    def felix_starts(self):
        return self._starts.so_far()

    def stop(self):
        if self._starts:
            self._starts.end()
        problems = []
        for step in reversed(self._undo):
            try:
                step()
            except (Failure, subprocess.TimeoutExpired) as error:
                problems.append(str(error))
        if self._read_otherwise:
            self._delete_pods()
        if problems:
            raise Failure("; ".join(problems))


def refuse(scenario):
    """What this cluster cannot be put into is no scenario of this backend: its `backends` would have to say so."""
    cluster = scenario.cluster
    other = sorted(key for key in cluster if key not in PLAYED)
    if other or cluster.get("install", "manifest") != "manifest" or cluster.get("nodes", 3) != 3:
        raise Problem("backends", f"node has three nodes of a manifest install and cannot play {', '.join(other) or 'others'}")


class Starts:
    """Counts Felix's processes per node, in the machine's own /proc; the code is the end-to-end tests'."""

    def __init__(self):
        spec = importlib.util.spec_from_file_location("felix", backend.REPOSITORY / "tests/e2e/lib/felix.py")
        self._felix = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(self._felix)
        self._seen, self._stop = set(), threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self):
        while not self._stop.wait(0.2):
            self._seen |= self._felix.processes()

    def so_far(self):
        self._seen |= self._felix.processes()
        counts = {"n1": 0, "n2": 0, "n3": 0}
        for node, _, _ in list(self._seen):
            counts[node] += 1
        return counts

    def end(self):
        self._stop.set()
        self._thread.join()
