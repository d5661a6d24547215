"""Files made inside the nodes, bound to them by what the real kubelets report as machine-id and boot-id.

A node of this cluster is a set of namespaces, and a file from there does not show that it is of the node's own network: only the
initial PID namespace shows that. `as_of_a_machine` tells that one thing otherwise, all else is as it was read.
"""

import datetime
import json
import os
import pathlib
import re
import shutil
import time
from types import SimpleNamespace

from lib.case import all_are, bases, case, finding_codes, reason_codes, recording, same, verdicts
from lib.cluster import NODES, REPOSITORY, RUN

BINARY = pathlib.Path(os.environ.get("CATFLAP_BIN", REPOSITORY / "build/release")) / "catflap"
INITIAL_PID_NAMESPACE = "pid:[4026531836]"
UNUSED = {"CF0090", "CF0091", "CF0092", "CF0093", "CF0094", "CF0095"}  # each says why a file was not used
SETTLE = 3  # seconds


def command_of_the_page():
    """The line for nodes without catflap, as docs/listeners.md has it, without where it writes to."""
    page = (REPOSITORY / "docs/listeners.md").read_text()
    return re.search(r"^(\{ cat /etc/machine-id .*; \}) > ", page, re.M)[1]


def make(c, number):
    """{file: text}: catflap's own of n1 and n3, that of ss of n2 and n3."""
    files = {}
    for node in ("n1", "n3"):
        files[f"{node}-{number}.json"] = c.node_exec(node, "/run/catflap/catflap-of-e2e", "listeners", "-o", "json")
    for node in ("n2", "n3"):
        files[f"{node}-{number}.ss"] = c.node_exec(node, "bash", "-c", command_of_the_page())
    return files


def changed_long_ago(c):
    """No FelixConfiguration changed within the last minute, as the cluster's reset may do: no file of now would be used."""
    listed = json.loads(c.kubectl("get", "felixconfigurations.crd.projectcalico.org", "-o", "json", "--show-managed-fields"))["items"]
    times = [datetime.datetime.fromisoformat(entry["time"].replace("Z", "+00:00"))
             for one in listed for entry in one["metadata"]["managedFields"]]
    return datetime.datetime.now(datetime.timezone.utc) - max(times) > datetime.timedelta(seconds=61)


def as_of_a_machine(name, text):
    if name.endswith(".ss"):
        return re.sub(r"^pid:\[\d+\]$", INITIAL_PID_NAMESPACE, text, flags=re.M)
    document = json.loads(text)
    document["host"]["network"] = "node"
    for socket in document["listeners"]:
        if socket["ownerState"] == "not-permitted":  # what nobody there holds is the kernel's own
            socket["ownerState"] = "not-found"
    return json.dumps(document)


def verify(c, name, files):
    folder = pathlib.Path(c.home.name) / name
    folder.mkdir(exist_ok=True)
    for file, text in files.items():
        (folder / file).write_text(text)
    return ("verify", "--from", "direct", "--settle", f"{SETTLE}s", "--observations", str(folder), "-o", "json")


@recording(env="false")
def observations(c):
    for node in NODES:
        c.filter(node, "drop")  # so that only the files can prove it
        shutil.copy2(BINARY, RUN / "nodes" / node / "catflap-of-e2e")  # its /run/catflap
    c.pods_ready()
    c.eventually("no FelixConfiguration has just changed", lambda: changed_long_ago(c), 70)
    made = make(c, 1)
    time.sleep(SETTLE + 1)
    made |= make(c, 2)
    told = {name: as_of_a_machine(name, text) for name, text in made.items()}
    machine_id = c.node_exec("n2", "cat", "/etc/machine-id").strip()
    foreign = {name: text.replace(machine_id, "f" * 32) for name, text in told.items()}
    boot_id = c.node_exec("n1", "cat", "/proc/sys/kernel/random/boot_id").strip()
    earlier = {name: text.replace(boot_id, "0" * 8 + boot_id[8:]) if name.startswith("n1") else text for name, text in told.items()}
    kept = SimpleNamespace()
    kept.made, kept.told, kept.foreign, kept.earlier = c.catflaps(
        verify(c, "made", made), verify(c, "told", told), verify(c, "foreign", foreign), verify(c, "earlier", earlier))
    return kept


def unused(output):
    return finding_codes(output.json) & UNUSED


@case(of=observations, twin="a-file-of-another-machine-is-not-used")
def files_of_the_nodes_prove_them_closed(kept):
    """catflap's file, that of ss and both: each is bound to its node by the kubelet's own words, and proves it."""
    same("files that were not used", unused(kept.told), set())
    same("verdicts", verdicts(kept.told.json), all_are("closed"))
    same("bases", bases(kept.told.json), all_are("inside"))
    same("exit code", kept.told.code, 0)


@case(of=observations, twin="files-of-the-nodes-prove-them-closed")
def a_file_of_another_machine_is_not_used(kept):
    """No kubelet reports that machine-id: named, not used, and its node is unknown."""
    same("files that were not used", unused(kept.foreign), {"CF0090"})
    same("verdicts", verdicts(kept.foreign.json), all_are("closed") | {"n2": "unknown"})
    same("exit code", kept.foreign.code, 3)


@case(of=observations, twin="files-of-the-nodes-prove-them-closed")
def a_file_of_another_boot_is_not_used(kept):
    """The machine-id is n1's, the boot-id is not what its kubelet reports."""
    same("files that were not used", unused(kept.earlier), {"CF0091"})
    same("verdicts", verdicts(kept.earlier.json), all_are("closed") | {"n1": "unknown"})


@case(of=observations, twin="files-of-the-nodes-prove-them-closed")
def a_file_from_a_container_proves_nothing(kept):
    """As they were made, in a PID namespace of its own: the node is known, and that it is the node's own network is not."""
    same("files that were not used", unused(kept.made), set())
    same("verdicts", verdicts(kept.made.json), all_are("unknown"))
    for node in NODES:
        same(f"{node} says that its files are incomplete", "import-incomplete" in reason_codes(kept.made.json, node), True)
