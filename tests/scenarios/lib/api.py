"""A small client of the API server, for the runner's own looks and writes as admin. They do not pass the proxy."""

import contextlib
import http.client
import json
import threading

GROUPS = {  # singular: (path of the group and version, whether it has namespaces)
    "pod": ("/api/v1", True), "node": ("/api/v1", False), "configmap": ("/api/v1", True),
    "secret": ("/api/v1", True), "namespace": ("/api/v1", False), "service": ("/api/v1", True),
    "daemonset": ("/apis/apps/v1", True), "controllerrevision": ("/apis/apps/v1", True),
    "deployment": ("/apis/apps/v1", True),
    "felixconfiguration": ("/apis/crd.projectcalico.org/v1", False),
    "clusterinformation": ("/apis/crd.projectcalico.org/v1", False),
    "installation": ("/apis/operator.tigera.io/v1", False),
    "application": ("/apis/argoproj.io/v1alpha1", True),
}


class ApiError(Exception):
    pass


class Api:
    """Blocking, one request at a time."""

    def __init__(self, access, folder):
        self._access, self._context = access, access.context(folder)
        self._connection = None
        self._lock = threading.Lock()

    def request(self, method, path, body=None, content_type="application/json"):
        """(status, document)"""
        headers = {"Accept": "application/json"}
        if self._access.token:
            headers["Authorization"] = f"Bearer {self._access.token}"
        if body is not None:
            headers["Content-Type"] = content_type
            body = json.dumps(body)
        with self._lock:
            return self._send(method, path, body, headers)

    def _send(self, method, path, body, headers):
        for last in (False, True):  # a kept connection may have been closed meanwhile
            if self._connection is None:
                self._connection = http.client.HTTPSConnection(
                    self._access.host, self._access.port, timeout=30, context=self._context)
            try:
                self._connection.request(method, path, body, headers)
                answer = self._connection.getresponse()
                return answer.status, parsed(answer.read())
            except (http.client.HTTPException, OSError) as error:
                self.close()
                if last:
                    raise ApiError(f"{method} {path}: {error}") from None
        return None

    def close(self):
        if self._connection:
            with contextlib.suppress(OSError):
                self._connection.close()
        self._connection = None

    def get(self, path):
        """The document, or None if there is none."""
        status, document = self.request("GET", path)
        if status == 404:
            return None
        if status != 200:
            raise ApiError(f"GET {path}: {status} {document}")
        return document

    def patch(self, path, body, kind="merge"):
        status, document = self.request("PATCH", path, body, f"application/{kind}-patch+json")
        if status != 200:
            raise ApiError(f"PATCH {path}: {status} {document}")
        return document

    def items(self, path):
        return (self.get(path) or {}).get("items") or []

    def path_of(self, key):
        """KIND/NAMESPACE/NAME or KIND/NAME, as scenarios write it, as a path. KIND may be KIND.GROUP."""
        kind, *rest = key.split("/")
        kind, _, group = kind.lower().partition(".")
        singular = kind[:-1] if kind.endswith("s") and kind[:-1] in GROUPS else kind
        if group:
            found = self.get(f"/apis/{group}") or {}
            version = found.get("preferredVersion", {}).get("version", "v1")
            root = f"/apis/{group}/{version}"
        elif singular in GROUPS:
            root = GROUPS[singular][0]
        else:
            raise ApiError(f"{key}: unknown kind; write KIND.GROUP/…")
        plural = singular if singular.endswith("s") else singular + "s"
        namespace = f"/namespaces/{rest[0]}" if len(rest) == 2 else ""
        return f"{root}{namespace}/{plural}/{rest[-1]}"

    def read(self, key):
        return self.get(self.path_of(key))


def parsed(data):
    try:
        return json.loads(data) if data else None
    except ValueError:
        return data.decode(errors="replace")
