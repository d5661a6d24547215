#!/usr/bin/python3
"""What `catflap diagnose --from agent` (one look) or `verify` (two) costs at many nodes: its Jobs on a real control plane.

    bench/agent.py [--nodes 5000] [--command verify] [--catflap FILE] [WHAT…]   WHAT: look, interrupt, kill, deadline; all without any

KWOK plays the nodes, runs the Jobs' pods and ends them at once; this program plays the kubelets' logs on every node's address, with the node's own
machine-id and boot-id. Requests are those of catflap's user in the API server's audit log. Needs root and ./dev control build.
"""
import argparse
import collections
import datetime
import http.server
import json
import os
import pathlib
import signal
import socketserver
import ssl
import subprocess
import sys
import tempfile
import threading
import time

import many_nodes
from many_nodes import ROOT, control

USER, IMAGE, STUCK = "bench-agent", "example.org/catflap:1", "example.org/catflap:does-not-exist"
JOBS_OVER = """
---
apiVersion: kwok.x-k8s.io/v1alpha1
kind: Stage
metadata: {name: agent-done}
spec:
  resourceRef: {apiGroup: v1, kind: Pod}
  selector:
    matchExpressions:
      - {key: '.metadata.labels["app.kubernetes.io/name"]', operator: In, values: [catflap-agent]}
      - {key: .status.phase, operator: In, values: [Running]}
  next:
    statusTemplate: |
      phase: Succeeded
"""


def ids(name):
    number = int(name.rsplit("-", 1)[1])
    return f"{number:032x}", f"00000000-0000-4000-8000-{number:012x}"


def node(number):
    made = many_nodes.node(number)
    machine, boot = ids(made["metadata"]["name"])
    info = dict.fromkeys(("kernelVersion", "osImage", "containerRuntimeVersion", "kubeletVersion", "kubeProxyVersion"), "played")
    made["status"]["nodeInfo"] = {"machineID": machine, "bootID": boot, "systemUUID": machine, "operatingSystem": "linux", "architecture": "amd64", **info}
    return made


class Pods:
    """The agent's pods, as a watch tells them: their nodes and words."""

    def __init__(self):
        self.known, self.changed = {}, threading.Condition()
        self.kubectl = subprocess.Popen(["kubectl", "get", "pods", "-n", "kube-system", "-l", "app.kubernetes.io/name=catflap-agent",
                                         "--watch", "-o", "json"], stdout=subprocess.PIPE, text=True)
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        lines = []
        for line in self.kubectl.stdout:
            lines.append(line)
            if line.rstrip("\n") != "}":
                continue
            pod = json.loads("".join(lines))
            lines.clear()
            with self.changed:
                self.known[pod["metadata"]["name"]] = (pod["spec"]["nodeName"], pod["spec"]["containers"][0].get("args", []))
                self.changed.notify_all()

    def of(self, name):
        with self.changed:
            self.changed.wait_for(lambda: name in self.known, timeout=10)
            return self.known[name]


def look(name):
    machine, boot = ids(name)
    owner = {"fd": 7, "container": None, "podUid": None}
    row = {"family": "ipv4", "address": "0.0.0.0", "interface": None, "uid": 0, "ownerState": "named"}
    rows = [{**row, "port": 10250, "inode": 1, "owners": [{**owner, "pid": 1, "comm": "kubelet", "felix": False}]},
            {**row, "port": 9099, "inode": 2, "owners": [{**owner, "pid": 101, "comm": "calico-node", "felix": True}]}]
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%FT%T.000Z")
    return json.dumps({"apiVersion": "catflap/v1alpha1", "kind": "Listeners", "at": now, "method": "sock-diag", "complete": True, "problem": None,
                       "host": {"machineId": machine, "bootId": boot, "hostname": None, "network": "node"}, "ports": [], "listeners": rows})


def asks(nonce, endpoints):
    text = f"#{nonce} tool curl\n"
    for number, word in enumerate(endpoints):
        info, code, words = ("403 0.001", 0, "") if word.startswith("control=") else ("000 0.000", 7, "Connection refused")
        text += f"#{nonce} begin {number}\n#{nonce} info {info}\n#{nonce} exit {code}\n#{nonce} words {words}\n#{nonce} end {number}\n"
    return text


def play_kubelets(certificate, key):
    pods = Pods()

    class Kubelet(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            where, words = pods.of(self.path.split("/")[3])
            body = (look(where) if words[1:] == [] else asks(words[1], words[2:])).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
        daemon_threads, request_queue_size = True, 1024

        def finish_request(self, request, address):
            with context.wrap_socket(request, server_side=True) as secure:
                super().finish_request(secure, address)

        def handle_error(self, *_):
            pass

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server = Server(("0.0.0.0", 10250), Kubelet)
    print("ready", flush=True)
    server.serve_forever()


def certify(run, count, folder):
    """A certificate for all nodes, by the authority that the API server wants of kubelets."""
    names = ",".join("IP:" + node(number)["status"]["addresses"][0]["address"] for number in range(count))
    (folder / "names").write_text(f"subjectAltName={names}\n")
    openssl = lambda *words: subprocess.run(["openssl", *words], check=True, capture_output=True, cwd=folder)
    openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=kubelets", "-keyout", "key", "-out", "request")
    openssl("x509", "-req", "-in", "request", "-CA", f"{run}/pki/ca.crt", "-CAkey", f"{run}/pki/ca.key", "-days", "2", "-extfile", "names", "-out", "certificate")
    return folder / "certificate", folder / "key"


def kubectl(*words, text=None):
    return control("in", "kubectl", *words, text=text)


def processes():
    lines = [line.split() for line in control("status").splitlines() if line.rstrip().endswith("MiB")]
    return {words[0]: int(words[1]) for words in lines}


def fill(run, count, folder):
    """`count` nodes with a calico-node each, Ready and switched off."""
    os.kill(processes()["kwok"], signal.SIGKILL)
    stages = (ROOT / "testbed/conf/kwok.yaml").read_text().replace("{{ $ready = false }}", "{{ $ready = true }}") + JOBS_OVER
    (folder / "kwok.yaml").write_text(stages)
    started = [subprocess.Popen([ROOT / "testbed/control", "in", f"{run}/bin/kwok", f"--kubeconfig={run}/kubeconfig/admin", "--v=ERROR",
                                 f"--config={folder}/kwok.yaml", "--manage-all-nodes=false", "--node-lease-duration-seconds=0",
                                 "--manage-nodes-with-label-selector=sim.catflap.dev/kubelet=kwok", "--server-address=127.0.0.1:10247",
                                 "--node-port=10250"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)]
    control("in", "ip", "route", "add", "local", many_nodes.NETWORK, "dev", "lo")
    kubectl("apply", "-f", str(ROOT / "tests/scenarios/installs/manifest.yaml"))
    kubectl("-n", "kube-system", "set", "env", "daemonset/calico-node", "-c", "calico-node", "FELIX_PROMETHEUSMETRICSENABLED=false")
    began = time.monotonic()
    for first in range(0, count, 500):
        items = [node(number) for number in range(first, min(first + 500, count))]
        kubectl("create", "--validate=false", "-f", "-", text=json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))
    while kubectl("-n", "kube-system", "get", "daemonset", "calico-node", "-o", "jsonpath={.status.numberReady}") != str(count):
        if time.monotonic() - began > 900:
            raise many_nodes.NotHere("the nodes are not ready after 900 s")
        time.sleep(5)
    print(f"{count} nodes were ready after {time.monotonic() - began:.0f} s", flush=True)
    kubectl("create", "clusterrolebinding", USER, "--clusterrole=cluster-admin", f"--user={USER}")
    return started


class Audit:
    """What catflap's user asks from now on."""

    def __init__(self, run):
        self.file = open(run / "audit.log")
        self.file.seek(0, os.SEEK_END)

    def read(self):
        events = []
        for line in self.file:
            if f'"username":"{USER}"' in line and '"stage":"ResponseComplete"' in line:
                event = json.loads(line)
                what = event.get("objectRef", {})
                name = "/".join(filter(None, (what.get("resource", event["requestURI"].split("?")[0]), what.get("subresource"))))
                events.append((event["requestReceivedTimestamp"], event["verb"], name))
        return sorted(events)


def tell(events):
    counts = collections.Counter(f"{verb} {name}" for _, verb, name in events)
    seconds = collections.Counter(at[:19] for at, _, _ in events)
    now = most = 0
    for _, verb, name in events:
        now += (name == "jobs") * ((verb == "create") - (verb == "delete"))
        most = max(most, now)
    print(f"  requests {len(events)}: {', '.join(f'{name} {count}' for name, count in counts.most_common(8))}")
    print(f"  a second at most {max(seconds.values(), default=0)}; Jobs at once at most {most}", flush=True)


def cpu(pids):
    ticks = lambda pid: sum(map(int, pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[11:13]))
    return {name: ticks(pid) / os.sysconf("SC_CLK_TCK") for name, pid in pids.items()}


def left():
    return [len(kubectl("-n", "kube-system", "get", kind, "-l", "app.kubernetes.io/name=catflap-agent", "-o", "name").split()) for kind in ("jobs", "pods")]


class Bench:
    def __init__(self, run, command, inside, folder):
        self.run, self.command, self.inside, self.folder = run, command, inside, folder

    def start(self, image):
        command = [*self.command, "--from", "agent", "--image", image, "-o", "json"]
        output = {"stdout": open(self.folder / "out", "w"), "stderr": open(self.folder / "err", "w"), "stdin": subprocess.DEVNULL}
        return Audit(self.run), time.monotonic(), subprocess.Popen([*self.inside, *command], **output)

    def until_jobs(self, audit, count):
        made = []
        while sum(verb == "create" and name == "jobs" for _, verb, name in made) < count:
            time.sleep(0.2)
            made += audit.read()
        return made

    def look(self):
        pids = {name: pid for name, pid in processes().items() if name.startswith(("kube-", "etcd"))}
        before = cpu(pids)
        audit, began, process = self.start(IMAGE)
        _, status, usage = os.wait4(process.pid, 0)
        took, code = time.monotonic() - began, os.waitstatus_to_exitcode(status)
        spent = {name: round(seconds - before[name]) for name, seconds in cpu(pids).items()}
        counts = json.loads((self.folder / "out").read_text())["cluster"]["counts"] if code in (0, 1, 3) else (self.folder / "err").read_text()
        print(f"{self.command[1]}: exit {code}, {counts}, {took:.0f} s, CPU {usage.ru_utime + usage.ru_stime:.1f} s, {usage.ru_maxrss >> 10} MiB")
        print(f"  CPU seconds of the control plane: {spent}")
        tell(audit.read())
        print(f"  Jobs and pods left: {left()}", flush=True)

    def interrupt(self):
        audit, _, process = self.start(IMAGE)
        made = self.until_jobs(audit, 200)
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        code = process.wait()
        print(f"interrupt: exit {code} after {time.monotonic() - began:.1f} s; Jobs and pods left at once {left()}", end="")
        time.sleep(3)
        print(f", 3 s later {left()}")
        tell(made + audit.read())

    def kill(self, image=IMAGE, name="kill"):
        audit, _, process = self.start(image)
        self.until_jobs(audit, 64)
        time.sleep(1)
        process.kill()
        process.wait()
        began, seen = time.monotonic(), left()
        print(f"{name}: Jobs and pods left at once {seen}", end="", flush=True)
        while left() != [0, 0] and time.monotonic() - began < 240:
            time.sleep(2)
        print(f"; {left()} after {time.monotonic() - began:.0f} s", flush=True)

    def deadline(self):
        self.kill(STUCK, "kill, while their pods get no image")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--nodes", type=int, default=5000)
    parser.add_argument("--catflap", default=str(ROOT / "build/release/catflap"))
    parser.add_argument("--command", choices=["diagnose", "verify"], default="diagnose")
    parser.add_argument("--kubelets", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("what", nargs="*", default=["look", "interrupt", "kill", "deadline"])
    given = parser.parse_args()
    if given.kubelets:
        play_kubelets(*given.kubelets)
    if subprocess.run([many_nodes.CONTROL, "status"], capture_output=True, check=False).returncode == 0:
        sys.exit("a control plane is up already (./dev control down)")
    started = []
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        try:
            control("up", "--immortal")
            run = pathlib.Path(control("kubeconfig")).parent.parent
            started = fill(run, given.nodes, folder)
            kubelets = [ROOT / "testbed/control", "in", sys.executable, __file__, "--kubelets", *certify(run, given.nodes, folder)]
            started.append(subprocess.Popen(kubelets, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True))
            started[-1].stdout.readline()
            inside = ["nsenter", "--net=/run/netns/catflap-control", "--", "env", f"KUBECONFIG={control('user', USER)}"]
            bench = Bench(run, [given.catflap, given.command], [*inside, f"XDG_STATE_HOME={folder}"], folder)
            for what in given.what:
                getattr(bench, what)()
        finally:
            for process in started:
                process.kill()
            subprocess.run([many_nodes.CONTROL, "down"], capture_output=True, check=False)


main()
