"""The embedded cluster, `catflap demo --serve`, in a network namespace of the scenario's own."""

import select
import subprocess
import time

from lib import backend, kubeconfig, netns
from lib.api import Api
from lib.backend import Backend, Failure, Started

NOT_READY = "sim.catflap.dev/not-ready"
STARTS = "sim.catflap.dev/felix-starts"
SECONDS = 60  # for the cluster to come up; a sanitized build on a busy machine


class Here(Backend):
    name = "sim"

    @classmethod
    def prepare(cls, places):
        backend.program("catflap")
        netns.check()

    @classmethod
    def prefix(cls, place):
        return netns.prefix()

    def __init__(self, folder):
        super().__init__(folder)
        self._process, self._serves = None, False
        self._api = None
        self._log = folder / "demo.log"

    def start(self, scenario):
        netns.set_up(scenario.nodes())
        path = self.folder / "demo.kubeconfig"
        self._process = backend.own_child(
            [backend.program("catflap"), "demo", "--serve", "--scenario", scenario.path, "--kubeconfig", path], self._log,
            stdout=subprocess.PIPE, text=True)
        self._wait_for_serving()
        netns.filter_nodes(scenario.nodes(), scenario.cluster.get("network"))
        admin = kubeconfig.read(path, "admin")
        self._api = Api(admin, self.folder)
        return Started(admin=admin, user=kubeconfig.read(path, "user"), admin_kubeconfig=path, admin_context="admin")

    def _wait_for_serving(self):
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            if not select.select([self._process.stdout], [], [], 0.5)[0]:
                continue
            line = self._process.stdout.readline()
            if line.strip() == "serving":
                self._serves = True
                return
            if not line:
                self._process.wait(5)
                raise Failure(f"catflap demo ended with {self._process.returncode} before it served:\n{self.logs()}")
        raise Failure(f"catflap demo does not serve after {SECONDS} s:\n{self.logs()}")

    def disturb_node(self, node, state):
        value = "true" if state == "NotReady" else None
        self._api.patch(f"/api/v1/nodes/{node}", {"metadata": {"annotations": {NOT_READY: value}}})

    def felix_starts(self):
        starts = {}
        for node in self._api.items("/api/v1/nodes"):
            said = node["metadata"].get("annotations", {}).get(STARTS)
            if said is not None:
                starts[node["metadata"]["name"]] = int(said)
        return starts

    def logs(self):
        return backend.tail(self._log)

    def stop(self):
        if self._serves and self._process.poll() is not None:
            code = self._process.returncode
            raise Failure(f"catflap demo died with {code} while the scenario ran:\n{self.logs()}")
        backend.end(self._process)
