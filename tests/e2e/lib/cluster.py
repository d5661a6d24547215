"""The real cluster as a case sees it: commands in it, changes to it, and what it logged.

Whatever a case changes is undone by prepare() before the next story; nothing has to clean up.
"""

import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import time

import yaml

from lib import commands
from lib.case import Failure

REPOSITORY = pathlib.Path(__file__).resolve().parents[3]
SCRIPT = str(REPOSITORY / "testbed" / "cluster")
RUN = pathlib.Path(os.environ.get("CATFLAP_RUN", "/var/lib/catflap-cluster"))
NODES = ("n1", "n2", "n3")
METRICS_ENABLED = "FELIX_PROMETHEUSMETRICSENABLED"
READING_VERBS = ("get", "auth", "version", "rollout", "logs", "wait")

PACES = {
    "one-by-one": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1, "maxSurge": 0}},
    "two-by-two": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 2, "maxSurge": 0}},
    "together": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 3, "maxSurge": 0}},
    "on-delete": {"type": "OnDelete", "rollingUpdate": None},
}

# A stranger on the metrics port. It ends when its stdin does.
LISTENER = """
import socket, sys, threading
answer = sys.argv[1].encode()
server = socket.create_server(("::", 9091), family=socket.AF_INET6, dualstack_ipv6=True)
def serve():
    while True:
        client, _ = server.accept()
        if answer:
            client.settimeout(2)
            try:
                client.recv(4096)
                client.sendall(answer)
            except OSError:
                pass
            client.close()
        else:
            kept.append(client)
kept = []
threading.Thread(target=serve, daemon=True).start()
print("listening", flush=True)
sys.stdin.read()
"""
HTTP_STRANGER = ("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 14\r\n"
                 "Connection: close\r\n\r\npushgateway 1\n")
SILENT_STRANGER = ""


class Cluster:
    def __init__(self):
        self.log = []  # of the story that is played now
        self.documents = []  # every JSON document that catflap printed, with its command
        self.home = tempfile.TemporaryDirectory(prefix="catflap-e2e-")
        self._state = None
        self._touched = True
        self._running = []
        self._strangers = []
        self._filtered = set()
        self._policies = []
        self._held = []
        self._roles = {}
        self._kubeconfigs = {}
        self._audit_path = None

    # --- from up to down ---

    def is_up(self):
        return self._script("status").code == 0

    def up(self):
        return self._script("up", seconds=240)

    def down(self):
        return self._script("down", seconds=60)

    def prepare(self, setup):
        """Whatever was changed is back, and the DaemonSet is at this pace."""
        self.end_leftovers()
        state = (setup.mode, setup.env)
        if self._touched or self._state != state:
            done = self._script("reset", f"--{setup.mode}", "--env", setup.env, seconds=240)
            if done.code != 0:
                raise Failure(f"the cluster could not be reset:\n{done.report()}")
            self._state, self._touched = state, False
            self.pace("one-by-one")
        self.pace(setup.pace)
        self.log.clear()

    def forget_state(self):
        """The next story begins with a reset."""
        self._touched = True

    def end_leftovers(self):
        for running in self._running:
            running.end()
        for stranger in self._strangers:
            stranger.end()
        for node in self._filtered:
            self.node_exec(node, "nft", "delete", "table", "inet", "catflap_e2e")
        for policy in reversed(self._policies):  # a HostEndpoint without a policy lets nothing in
            self.kubectl("delete", "--ignore-not-found", "-f", "-", stdin=policy)
        self.let_pods_go()
        self._running, self._strangers, self._filtered, self._policies = [], [], set(), []

    def _script(self, *arguments, stdin=None, seconds=60):
        shown = "testbed/cluster " + " ".join(arguments)
        return commands.run(shown, [SCRIPT, *arguments], self.log, stdin=stdin, seconds=seconds)

    # --- catflap ---

    def catflap(self, *arguments, user="admin", code=None, seconds=200, environment=None):
        """Runs catflap to its end. `code`: the exit code it must have."""
        shown, command, variables = self._catflap(arguments, user, environment)
        output = commands.run(shown, command, self.log, variables, seconds=seconds)
        if arguments[-2:] == ("-o", "json") and output.out:
            self.documents.append(output)
        if code is not None and output.code != code:
            raise Failure(f"$ {shown}\nexit code {output.code}, wanted {code}\n{output.report()}")
        return output

    def catflaps(self, *commands_, user="admin"):
        """Several at a time: each may have to look twice, with a pause."""
        running = [self.start_catflap(*arguments, user=user) for arguments in commands_]
        outputs = [one.finish(200) for one in running]
        self.documents += [o for o, a in zip(outputs, commands_) if a[-2:] == ("-o", "json")]
        return outputs

    def start_catflap(self, *arguments, user="admin"):
        shown, command, variables = self._catflap(arguments, user, None)
        running = commands.Running(shown, command, variables, self.log)
        self._running.append(running)
        return running

    def _catflap(self, arguments, user, environment):
        if arguments and arguments[0] in ("close", "undo"):
            self._touched = True
        shown = f"catflap {' '.join(arguments)}" + (f"   (as {user})" if user != "admin" else "")
        variables = dict(os.environ, HOME=self.home.name, XDG_STATE_HOME=f"{self.home.name}/state",
                         NO_COLOR="1", LC_ALL="C")
        # `in` sets KUBECONFIG; env, after it, has the last word.
        settings = {"KUBECONFIG": self.kubeconfig(user), **(environment or {})}
        words = [f"{name}={value}" for name, value in settings.items()]
        return shown, [SCRIPT, "in", "env", *words, "catflap", *arguments], variables

    # --- Kubernetes ---

    def kubeconfig(self, user="admin"):
        if user not in self._kubeconfigs:
            words = ["kubeconfig"] if user == "admin" else ["user", user]
            self._kubeconfigs[user] = self._script(*words).out.strip()
        return self._kubeconfigs[user]

    def kubectl(self, *arguments, stdin=None, seconds=60):
        """stdout of kubectl, which must succeed."""
        if arguments[0] not in READING_VERBS and "--local" not in arguments:
            self._touched = True
        shown = "kubectl " + " ".join(arguments)
        output = commands.run(shown, [SCRIPT, "in", "kubectl", *arguments], self.log, stdin=stdin,
                              seconds=seconds)
        if output.code != 0:
            raise Failure(output.report())
        return output.out

    def get(self, kind, name, namespace="kube-system"):
        return json.loads(self.kubectl("get", kind, name, "-n", namespace, "-o", "json"))

    def daemonset(self):
        return self.get("daemonset", "calico-node")

    def template(self):
        return self.daemonset()["spec"]["template"]

    def all_pods(self):
        """Every calico-node pod that the API has, the oldest first."""
        listed = json.loads(self.kubectl("get", "pods", "-n", "kube-system", "-l",
                                         "k8s-app=calico-node", "-o", "json"))["items"]
        return sorted(listed, key=lambda pod: pod["metadata"]["creationTimestamp"])

    def pods(self):
        """{node: pod} of calico-node; the youngest of each node."""
        return {pod["spec"].get("nodeName"): pod for pod in self.all_pods()}

    def felix_configuration(self, name="default"):
        return self.get("felixconfigurations.crd.projectcalico.org", name)

    def patch_daemonset(self, patch, kind="merge"):
        self.kubectl("patch", "daemonset", "calico-node", "-n", "kube-system", f"--type={kind}",
                     "-p", json.dumps(patch))

    def patch_felix_configuration(self, patch, name="default"):
        self.kubectl("patch", "felixconfigurations.crd.projectcalico.org", name, "--type=merge",
                     "-p", json.dumps(patch))

    def make_felix_configuration(self, name, spec):
        self.kubectl("create", "-f", "-", stdin=json.dumps(
            {"apiVersion": "crd.projectcalico.org/v1", "kind": "FelixConfiguration",
             "metadata": {"name": name}, "spec": spec}))

    def make_policy(self, kind, name, spec, labels=None):
        """A HostEndpoint or GlobalNetworkPolicy as Calico stores it; gone again before the next story."""
        self._policies.append(json.dumps(
            {"apiVersion": "crd.projectcalico.org/v1", "kind": kind,
             "metadata": {"name": name, "labels": labels or {}}, "spec": spec}))
        self.kubectl("create", "-f", "-", stdin=self._policies[-1])

    def set_env(self, *settings):
        """As a person would: kubectl set env."""
        self.kubectl("set", "env", "daemonset/calico-node", "-n", "kube-system", "-c",
                     "calico-node", *settings)

    def pace(self, name):
        before = self._touched
        self.patch_daemonset({"spec": {"updateStrategy": PACES[name]}})
        self._touched = before

    def rolled_out(self):
        self.kubectl("rollout", "status", "daemonset/calico-node", "-n", "kube-system",
                     "--timeout=120s", seconds=130)

    def replace_pod(self, node):
        """Deletes the node's pod and returns once the controller has made the next one."""
        old = self.pods()[node]["metadata"]
        self.kubectl("delete", "pod", old["name"], "-n", "kube-system", "--wait=false")
        self.eventually(f"a new pod on {node}", lambda: node in self.pods()
                        and self.pods()[node]["metadata"]["uid"] != old["uid"])

    def hold_pods(self):
        """From now on a pod that is deleted stays, terminating, and a rollout stands still with its first batch."""
        self._held = list(self.pods().values())
        self._set_finalizers(["catflap.dev/held-by-e2e"])

    def let_pods_go(self):
        self._set_finalizers(None)
        self._held = []

    def _set_finalizers(self, finalizers):
        for pod in self._held:
            self.kubectl("patch", "pod", pod["metadata"]["name"], "-n", "kube-system", "--type=merge",
                         "-p", json.dumps({"metadata": {"finalizers": finalizers}}))

    def pods_ready(self):
        self.eventually("all calico-node pods Ready",
                        lambda: all(is_ready(pod) for pod in self.pods().values()), 90)

    # --- users ---

    def user_with(self, *roles):
        """A user with exactly the shipped roles of deploy/ROLE.yaml."""
        name = "e2e-" + "-".join(roles)
        if name not in self._roles:
            self.kubeconfig(name)
            for role in roles:
                self._bind(name, REPOSITORY / "deploy" / f"{role}.yaml")
            self._roles[name] = roles
        return name

    def _bind(self, user, path):
        text = path.read_text()
        self.kubectl("apply", "-f", "-", stdin=text)
        bound = False
        for role in filter(None, yaml.safe_load_all(text)):
            kind, meta = role["kind"], role["metadata"]
            if kind not in ("Role", "ClusterRole"):
                continue
            binding = {
                "apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind + "Binding",
                "metadata": {"name": f"{user}-{meta['name']}"},
                "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": kind,
                            "name": meta["name"]},
                "subjects": [{"kind": "User", "name": user,
                              "apiGroup": "rbac.authorization.k8s.io"}]}
            if "namespace" in meta:
                binding["metadata"]["namespace"] = meta["namespace"]
            self.kubectl("apply", "-f", "-", stdin=json.dumps(binding))
            bound = True
        if not bound:
            raise Failure(f"{path.name} has no role")

    def audit(self, user, since=0):
        """The user's finished requests from the byte `since` of the audit log on."""
        events = []
        with open(self.audit_path(), "rb") as file:
            file.seek(since)
            for line in file:
                if not line.endswith(b"\n"):
                    break
                event = json.loads(line)
                if event["user"].get("username") == user and event["stage"] == "ResponseComplete":
                    events.append(event)
        return events

    def writes(self, user, since=0):
        """What the user asked to be changed, refused requests and dry runs included."""
        changing = ("create", "update", "patch", "delete", "deletecollection")
        # Reviews ask a question by a POST; they store nothing.
        return [f"{e['verb']} {e['requestURI']}" for e in self.audit(user, since)
                if e["verb"] in changing and "/apis/authorization.k8s.io/" not in e["requestURI"]]

    def audit_position(self):
        return os.path.getsize(self.audit_path())

    def audit_path(self):
        if self._audit_path is None:
            self._audit_path = self._script("audit").out.strip()
        return self._audit_path

    # --- nodes ---

    def node_exec(self, node, *command, stdin=None):
        output = self._script("node-exec", node, *command, stdin=stdin)
        if output.code != 0:
            raise Failure(output.report())
        return output.out

    def own_image(self):
        """The name of catflap's image, which every node has from now on."""
        binary = REPOSITORY / "build/release/catflap"
        archive = pathlib.Path(self.home.name) / "catflap-oci.tar"
        made = subprocess.run([REPOSITORY / "tools/package", binary, "e2e", archive], capture_output=True, text=True, check=False)
        if made.returncode != 0:
            raise Failure(f"tools/package: {made.stderr}")
        for node in NODES:
            shutil.copy2(archive, RUN / "nodes" / node / "catflap-oci.tar")  # its /run/catflap
            self.node_exec(node, "ctr", "-n", "k8s.io", "images", "import", "/run/catflap/catflap-oci.tar")
        return "localhost/catflap:e2e"

    def filter(self, node, action):
        """nft's `action` for TCP to 9091 that comes from outside of the node, on both families."""
        self.node_exec(node, "nft", "-f", "-", stdin=(
            "table inet catflap_e2e {\n chain input {\n  type filter hook input priority -300;\n"
            f'  iifname "eth0" tcp dport 9091 {action}\n }}\n}}\n'))
        self._filtered.add(node)

    def stranger(self, place, answer):
        """Another program takes port 9091 of a node, or of the hub, until the returned object's end()."""
        stranger = Stranger(["in"] if place == "hub" else ["node-exec", place], answer)
        self._strangers.append(stranger)
        return stranger

    def pause_kubelet(self, node):
        self._touched = True
        self._script("pause-kubelet", node)

    def resume_kubelet(self, node):
        self._script("resume-kubelet", node)

    def answers(self, address):
        """Does 9091 of the address answer with Felix's metrics? curl's word for it, not catflap's."""
        host = f"[{address}]" if ":" in address else address
        for scheme in ("http", "https"):
            output = self._script("in", "curl", "-sSfkg", "-m", "3", f"{scheme}://{host}:9091/metrics")
            if "felix_" in output.out:
                return True
        return False

    def eventually(self, what, condition, seconds=30):
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                raise Failure(f"not after {seconds} s: {what}")
            time.sleep(0.2)


def is_ready(pod):
    conditions = {c["type"]: c["status"] for c in pod["status"].get("conditions", [])}
    return conditions.get("Ready") == "True"


ADDRESSES = {"n1": ["10.91.0.11"], "n2": ["10.91.0.12"], "n3": ["10.91.0.13", "fd91::13"]}


class Stranger:
    def __init__(self, where, answer):
        self._process = subprocess.Popen(
            [SCRIPT, *where, "/usr/bin/python3", "-c", LISTENER, answer], text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)
        if self._process.stdout.readline() != "listening\n":
            self.end()
            raise Failure(f"no listener could be started with {where}")

    def end(self):
        if self._process.poll() is None:
            self._process.stdin.close()
            self._process.wait(10)
