"""catflap and kubectl on many nodes: a real control plane with played nodes (testbed/control), a real listener on each."""
import json
import pathlib
import subprocess
import sys
import time
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parent.parent
CONTROL = ROOT / "testbed/control"
NODES = 500
NETWORK = "10.92.0.0/16"  # all of it local to the control plane's namespace
READY_WITHIN = 300  # seconds


class NotHere(Exception):
    """It cannot be measured now, for this reason."""


def control(*arguments: str, text: str | None = None) -> str:
    done = subprocess.run([CONTROL, *arguments], input=text, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise NotHere(f"testbed/control {' '.join(arguments[:4])}: {(done.stderr or done.stdout).strip()}")
    return done.stdout.strip()


def node(number: int) -> dict:
    name = f"node-{number:04}"
    labels = {"kubernetes.io/os": "linux", "kubernetes.io/hostname": name, "sim.catflap.dev/kubelet": "kwok"}
    address = f"10.92.{number // 250}.{number % 250 + 1}"
    return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": labels},
            "status": {"addresses": [{"type": "InternalIP", "address": address}, {"type": "Hostname", "address": name}]}}


def fill() -> None:
    """NODES nodes with a calico-node each, whose metrics port is open."""
    control("in", "ip", "route", "add", "local", NETWORK, "dev", "lo")
    control("in", "kubectl", "apply", "-f", str(ROOT / "tests/scenarios/installs/manifest.yaml"))
    control("in", "kubectl", "-n", "kube-system", "set", "env", "daemonset/calico-node", "-c", "calico-node",
            "FELIX_PROMETHEUSMETRICSENABLED=true")
    control("felix")
    nodes = {"apiVersion": "v1", "kind": "List", "items": [node(number) for number in range(NODES)]}
    control("in", "kubectl", "create", "--validate=false", "-f", "-", text=json.dumps(nodes))
    deadline = time.monotonic() + READY_WITHIN
    while not all_ready():
        if time.monotonic() > deadline:
            raise NotHere(f"{NODES} nodes are not ready after {READY_WITHIN} s")
        time.sleep(2)


def all_ready() -> bool:
    said = json.loads(control("health"))["nodes"].values()
    return len(said) == NODES and all(one["settled"] and one["listens"] for one in said)


def exchanged(inside: list[str], command: list) -> tuple[int, int]:
    """The bytes that one run of `command` sends to the API server and receives from it."""
    server = urllib.parse.urlsplit(control("in", "kubectl", "config", "view", "-o", "jsonpath={.clusters[0].cluster.server}"))
    relay = subprocess.Popen([*inside, sys.executable, ROOT / "bench/relay.py", server.hostname, str(server.port)],
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    port = relay.stdout.readline().strip()
    through = ["--server", f"https://127.0.0.1:{port}", "--tls-server-name", server.hostname]
    done = subprocess.run([*command, *through], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    counted, _ = relay.communicate()
    if done.returncode not in (0, 1):  # 1: it is exposed
        raise NotHere(f"{command[-1]} through the relay: {done.stderr.strip()}")
    sent, received = map(int, counted.split())
    return sent, received


class Cluster:
    """Up inside of a with; `inside` stands before a command that is to see it."""

    def __enter__(self) -> list[str]:
        if subprocess.run([CONTROL, "status"], capture_output=True, check=False).returncode == 0:
            raise NotHere("a control plane is up already (./dev control down)")
        try:
            control("up", "--immortal")
            fill()
            kubeconfig = control("kubeconfig")
        except NotHere:
            self.__exit__()
            raise
        return ["nsenter", "--net=/run/netns/catflap-control", "--", "env", f"KUBECONFIG={kubeconfig}"]

    def __exit__(self, *_) -> None:
        subprocess.run([CONTROL, "down"], capture_output=True, check=False)
