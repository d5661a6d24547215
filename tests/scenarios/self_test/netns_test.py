import json
import pathlib
import subprocess
import sys
import unittest

from lib import netns
from lib.backend import CannotRun

FOLDER = pathlib.Path(netns.__file__).resolve().parents[1]
SCRIPT = """
import concurrent.futures, json, socket, sys
sys.path.insert(0, sys.argv[1])
from lib import netns
kinds = [None, *netns.FILTERS]
nodes = [{"name": f"n{i}", "addresses": [f"10.91.0.1{i}", f"fd91::1{i}"]} for i, _ in enumerate(kinds)]
netns.set_up(nodes)
netns.filter_nodes(nodes, {f"n{i}": kind for i, kind in enumerate(kinds) if kind})
servers = [socket.create_server((address, port), family=socket.AF_INET6 if ":" in address else socket.AF_INET)
           for node in nodes for address in node["addresses"] for port in (9091, 10250)]
def ask(where):
    address, port, source = where
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as client:
        if source:
            client.bind((source, 0))
        client.settimeout(1.5)  # an ICMPv6 error from within reaches a connect only with its second try, after 1 s
        try:
            client.connect((address, port))
            return "open"
        except TimeoutError:
            return "timeout"
        except OSError:
            return "rejected"
def asked_of(address, from_loopback):
    source = ("::1" if ":" in address else "127.0.0.1") if from_loopback else None
    return [(address, port, source) for port in (9091, 10250)]
asked = [one for node in nodes for address in node["addresses"] for way in (False, True) for one in asked_of(address, way)]
with concurrent.futures.ThreadPoolExecutor(len(asked)) as pool:
    said = dict(zip(asked, pool.map(ask, asked)))
print(json.dumps([{kind or "none": [[said[one] for one in asked_of(address, way)] for address in node["addresses"]]
                   for kind, node in zip(kinds, nodes)} for way in (False, True)]))
"""


class Namespace(unittest.TestCase):
    def test_addresses_and_filters(self):
        try:
            netns.check()
        except CannotRun as error:
            self.skipTest(str(error))
        done = subprocess.run([*netns.prefix(), sys.executable, "-c", SCRIPT, str(FOLDER)], capture_output=True, text=True,
                              timeout=20, check=False)
        self.assertEqual(done.stderr, "")
        from_anywhere = {
            "none": [["open", "open"]] * 2, "drop": [["timeout", "timeout"]] * 2, "reject": [["rejected", "rejected"]] * 2,
            "drop-9091": [["timeout", "open"]] * 2, "reject-9091": [["rejected", "open"]] * 2,
            "drop-all-but-apiserver": [["timeout", "timeout"]] * 2}
        from_the_apiserver = from_anywhere | {"drop-all-but-apiserver": [["open", "open"]] * 2}
        self.assertEqual(json.loads(done.stdout), [from_anywhere, from_the_apiserver])
