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
    address, port = where
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as client:
        client.settimeout(1.5)  # an ICMPv6 error from within reaches a connect only with its second try, after 1 s
        try:
            client.connect((address, port))
            return "open"
        except TimeoutError:
            return "timeout"
        except OSError:
            return "rejected"
asked = [(address, port) for node in nodes for address in node["addresses"] for port in (9091, 10250)]
with concurrent.futures.ThreadPoolExecutor(len(asked)) as pool:
    said = dict(zip(asked, pool.map(ask, asked)))
print(json.dumps({kind or "none": [[said[address, port] for port in (9091, 10250)] for address in node["addresses"]]
                  for kind, node in zip(kinds, nodes)}))
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
        self.assertEqual(json.loads(done.stdout), {
            "none": [["open", "open"]] * 2, "drop": [["timeout", "timeout"]] * 2, "reject": [["rejected", "rejected"]] * 2,
            "drop-9091": [["timeout", "open"]] * 2, "reject-9091": [["rejected", "open"]] * 2})
