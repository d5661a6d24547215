"""One scenario on one backend, in a worker process: starts the cluster, runs the steps, says what differed."""

import datetime
import json
import os
import pathlib
import re
import shutil
import subprocess

from lib import backend as backends
from lib import kubeconfig, match, schema, watchers
from lib.api import Api, ApiError
from lib.backend import Failure
from lib.command import Command
from lib.faults import fault_of
from lib.match import Difference
from lib.proxy import Proxy

LONGEST = 300  # seconds of a step without `within`
SHOWN_REQUESTS = 60


class Differs(Exception):
    """A step did not come out as the scenario says; the text says what differed."""


def with_times(text):
    """<NOW>, <NOW-20s>, <NOW+20s> as times."""
    def time_of(found):
        then = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=int(found[1] or 0))
        return then.strftime("%Y-%m-%dT%H:%M:%SZ")
    return re.sub(r"<NOW(?:([+-]\d+)s)?>", time_of, text)


class Play:
    def __init__(self, scenario, backend, folder, certificates):
        self._scenario, self._backend, self._folder = scenario, backend, folder
        self._certificates = certificates
        self._faults = []  # for the next run
        self._proxy = self._owner = self._pods = self._started = self._admin = self._command = None
        self._acted = []  # problems of what was done while a command ran

    def whole(self):
        """Raises Differs, or Failure if the cluster could not be had."""
        self._started = self._backend.start(self._scenario)
        self._admin = Api(self._started.admin, self._folder)
        self._proxy = Proxy({"user": self._started.user, "admin": self._started.admin},
                            (self._certificates / "proxy.pem", self._certificates / "proxy.key"), self, self._folder)
        self._proxy.start()
        path = self._folder / "kubeconfig"
        kubeconfig.write(path, self._proxy.port, (self._certificates / "authority.pem").read_text(), self._proxy.tokens)
        self._command = Command(under_test(), self._folder, path, self._backend)
        owner = self._scenario.cluster.get("owner")
        # Where an operator is part of the cluster, it writes back by itself.
        if owner and self._scenario.cluster.get("install") != "operator":
            self._owner = watchers.Owner(self._started.admin, self._folder, schema.seconds(owner["reverts_after"])).start()
        if any(step.get("restarts") for step in self._scenario.steps):
            self._pods = watchers.Pods(self._started.admin, self._folder).start()
        for index, step in enumerate(self._scenario.steps, 1):
            if "disturb" in step:
                self._disturb(step["disturb"])
            else:
                self._run(index, step)

    def stop(self):
        for watcher in (self._owner, self._pods):
            if watcher:
                watcher.stop()
        if self._proxy:
            self._proxy.stop()
        self._backend.stop()

    # --- disturbances ---

    def _disturb(self, disturb):
        fault = fault_of(disturb)
        if fault:
            self._faults.append(fault)
            return
        action = schema.action_of(disturb["do"])
        if action.kind == "down":
            self._proxy.down(action.seconds)
        else:
            self.act(action)
            self._raise_acted()

    def kill(self):
        self._command.kill()

    def act(self, action):
        """What is not the proxy's own to do. Called from its thread too: what fails is said when the command has ended."""
        try:
            if action.kind == "node":
                self._backend.disturb_node(action.node, action.state)
            else:
                self._kubectl(action.arguments)
        except (Failure, ApiError, OSError, subprocess.SubprocessError) as error:
            self._acted.append(f"{action.kind}: {error}")

    def _kubectl(self, arguments):
        context = ["--context", self._started.admin_context] if self._started.admin_context else []
        done = subprocess.run(
            [kubectl(), "--kubeconfig", str(self._started.admin_kubeconfig), *context, *arguments], capture_output=True,
            text=True, timeout=60, check=False, env=dict(os.environ, HOME=str(self._folder / "home")))
        if done.returncode != 0:
            raise Failure(f"kubectl {' '.join(arguments)}: {done.stderr.strip() or done.stdout.strip()}")

    def _raise_acted(self):
        if self._acted:
            raise Failure("; ".join(self._acted))

    # --- one command ---

    def _run(self, index, step):
        for name, text in step.get("files", {}).items():
            path = self._command.work / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(with_times(text))
        pods = self._pods.seen() if self._pods else {}
        starts = self._backend.felix_starts() if "felix_starts" in step else {}
        first = len(self._proxy.records)
        faults, self._faults = self._faults, []
        self._proxy.faults = faults
        within = schema.seconds(step["within"]) if "within" in step else LONGEST
        ended = self._command.run(step["run"], within)
        self._proxy.faults = []
        requests = self._proxy.records[first:]
        (self._folder / f"step-{index}.json").write_text(json.dumps({"exit": ended.code, "out": ended.out}))
        if "save" in step:
            (self._command.work / step["save"]).write_text(ended.out)
        self._raise_acted()
        found = [Difference("within", f"{within:g} s", "it still ran and was ended")] if ended.late else []
        found += [Difference(f"disturb {fault.shown}", "met by a request of this run", f"{fault.seen} requests of its kind")
                  for fault in faults if not fault.met]
        found += said_differently(step, ended)
        found += self._left_differently(step, requests, pods, starts)
        if found:
            raise Differs(report(index, step, ended, found, requests))

    def _left_differently(self, step, requests, pods, starts):
        """What the cluster, and not catflap, says."""
        found = []
        for key, wanted in step.get("cluster_after", {}).items():
            got = self._admin.read(key)
            found += match.differences(wanted, match.MISSING if got is None else got, f"cluster_after.{key}")
        if "untouched" in step:
            writes = [str(record) for record in requests if record.user == "user" and record.writes()]
            if step["untouched"] != (not writes):
                found.append(Difference("untouched", step["untouched"], writes))
        if "restarts" in step:
            now = self._pods.seen()
            for name, wanted in step["restarts"].items():
                count = sum(1 for uid, owner in now.items() if owner == name and uid not in pods)
                found += match.differences(wanted, count, f"restarts.{name}")
        if "felix_starts" in step:
            now = self._backend.felix_starts()
            for node, wanted in step["felix_starts"].items():
                count = now[node] - starts.get(node, 0) if node in now else match.MISSING
                found += match.differences(wanted, count, f"felix_starts.{node}")
        return found


def said_differently(step, ended):
    found = match.exit_differences(step["exit"], ended.code) if "exit" in step else []
    wanted = step.get("stdout")
    if isinstance(wanted, dict) and not match.special(wanted):
        try:
            found += match.differences(wanted, json.loads(ended.out), "stdout")
        except ValueError:
            found.append(Difference("stdout", "a JSON document", ended.out[-500:]))
    elif wanted is not None:
        found += match.text_differences(wanted, ended.out, "stdout")
    if "stderr" in step:
        found += match.text_differences(step["stderr"], ended.err, "stderr")
    return found


def report(index, step, ended, found, requests):
    lines = [f"step {index}: $ {' '.join(ended.words)}   (exit code {ended.code}, {ended.seconds:.1f} s)"]
    lines += [f"  {one}" for one in found]
    lines.append(f"  requests ({len(requests)}):")
    if len(requests) > SHOWN_REQUESTS:
        lines.append(f"    … {len(requests) - SHOWN_REQUESTS} before these")
    lines += [f"    {record}" for record in requests[-SHOWN_REQUESTS:]]
    for name, text in (("stdout", gist(ended.out)), ("stderr", ended.err)):
        lines.append(f"  {name}:")
        lines += [f"    {line[:400]}" for line in text.splitlines()[-25:]]
    return "\n".join(lines)


def gist(text):
    """A document's verdicts, reasons and findings; any other text as it is."""
    try:
        document = json.loads(text)
    except ValueError:
        return text
    if not isinstance(document, dict):
        return text
    lines = [str(document.get("kind"))]
    lines += [f"{key}: {json.dumps(document[key])}" for key in ("result", "error", "refusals", "findings") if document.get(key)]
    cluster = document.get("cluster", {})
    lines.append(f"cluster: {cluster.get('verdict')} {json.dumps(cluster.get('counts'))} {json.dumps(cluster.get('findings'))}")
    for node in document.get("nodes", []):
        lines.append(f"{node.get('name')}: {node.get('verdict')} {node.get('basis') or ''} {json.dumps(node.get('reasons'))} "
                     f"{json.dumps(node.get('findings'))}")
    for rollout in document.get("daemonSets", []):
        lines += [f"{node['name']}: {node['state']} {node['reason']}" for node in rollout.get("nodes", [])]
    return "\n".join(lines)


def under_test():
    """catflap, or in its place the mutant; the cluster's program is always the right one."""
    return pathlib.Path(os.environ.get("CATFLAP_UNDER_TEST") or backends.program("catflap"))


def kubectl():
    found = shutil.which("kubectl")
    if found:
        return found
    asked = subprocess.run([str(backends.REPOSITORY / "testbed/cluster"), "bin"], capture_output=True, text=True, check=False)
    path = pathlib.Path(asked.stdout.strip() or "/nonexistent") / "kubectl"
    if not path.exists():
        raise Failure("there is no kubectl on PATH, and none built (./dev cluster build)")
    return str(path)
