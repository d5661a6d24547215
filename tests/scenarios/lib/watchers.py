"""What goes on beside a command: pods that are replaced, and an owner who writes back. Both look as admin, several times a
second, on a thread of their own; neither passes the proxy."""

import copy
import threading
import time

from lib.api import Api, ApiError

PAUSE = 0.2
DAEMONSETS = "/apis/apps/v1/daemonsets"
FELIX_CONTAINERS = ("calico-node",)


class Watcher:
    """Calls look() again and again from start() to stop()."""

    def __init__(self, access, folder):
        self.api = Api(access, folder)
        self.problem = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self):
        self.look()
        self._thread.start()
        return self

    def stop(self):
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(35)
        self.api.close()

    def _run(self):
        while not self._stop.wait(PAUSE):
            try:
                self.look()
            except ApiError as error:
                self.problem = str(error)

    def look(self):
        raise NotImplementedError


class Pods(Watcher):
    """Every pod of a DaemonSet that was ever seen."""

    def __init__(self, access, folder):
        super().__init__(access, folder)
        self._seen = {}  # uid: DaemonSet

    def look(self):
        for pod in self.api.items("/api/v1/pods"):
            for owner in pod["metadata"].get("ownerReferences", []):
                if owner["kind"] == "DaemonSet":
                    self._seen[pod["metadata"]["uid"]] = owner["name"]

    def seen(self):
        self.look()
        return dict(self._seen)


class Owner(Watcher):
    """Puts the spec of the DaemonSets that run Felix back to what it was at the start, some time after it was changed."""

    def __init__(self, access, folder, reverts_after):
        super().__init__(access, folder)
        self._reverts_after = reverts_after
        self._wanted = {}  # path: spec
        self._changed_at = {}

    def look(self):
        for found in self.api.items(DAEMONSETS):
            containers = found["spec"]["template"]["spec"].get("containers", [])
            if not any(container["name"] in FELIX_CONTAINERS for container in containers):
                continue
            meta = found["metadata"]
            path = f"/apis/apps/v1/namespaces/{meta['namespace']}/daemonsets/{meta['name']}"
            wanted = self._wanted.setdefault(path, copy.deepcopy(found["spec"]))
            if found["spec"] == wanted:
                self._changed_at.pop(path, None)
            elif time.monotonic() - self._changed_at.setdefault(path, time.monotonic()) >= self._reverts_after:
                self.api.patch(path, [{"op": "replace", "path": "/spec", "value": wanted}], kind="json")
