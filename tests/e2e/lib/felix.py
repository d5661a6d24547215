"""Felix's processes, read from the machine's own /proc: neither catflap nor Kubernetes is asked."""

import os
import threading


def processes():
    """{(node, pid, start time in ticks)} of every Felix that runs now."""
    node_of_network = {}
    for entry in os.listdir("/run/netns"):
        if entry.startswith("catflap-n"):
            node_of_network[os.stat(f"/run/netns/{entry}").st_ino] = entry[len("catflap-"):]
    found = set()
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if not is_felix(pid):
                continue
            node = node_of_network.get(os.stat(f"/proc/{pid}/ns/net").st_ino)
            with open(f"/proc/{pid}/stat", "rb") as file:
                fields = file.read().rsplit(b")", 1)[1].split()
            parent, started = int(fields[1]), int(fields[19])
            if is_felix(parent):
                continue  # on its way to become one of Felix's tools
        except OSError:
            continue  # it ended in between
        if node:
            found.add((node, int(pid), started))
    return found


def is_felix(pid):
    with open(f"/proc/{pid}/cmdline", "rb") as file:
        return file.read(64).split(b"\0")[:2] == [b"calico-node", b"-felix"]


class Starts:
    """Counts the starts of Felix per node while the `with` block runs."""

    def __enter__(self):
        self._before = processes()
        self._seen = set()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def _watch(self):
        # A Felix lives for seconds at least, even one that panics: five looks a second see each.
        while not self._stop.wait(0.2):
            self._seen |= processes()

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()
        self._seen |= processes()

    def per_node(self):
        counts = {"n1": 0, "n2": 0, "n3": 0}
        for node, _, _ in self._seen - self._before:
            counts[node] += 1
        return counts
