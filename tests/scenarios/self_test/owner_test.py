import copy
import time
import unittest

from lib.watchers import DAEMONSETS, Owner
from server import FOLDER, ApiServer

PATH = "/apis/apps/v1/namespaces/kube-system/daemonsets/{}"


def daemonset(name, container):
    return {"metadata": {"name": name, "namespace": "kube-system"},
            "spec": {"template": {"spec": {"containers": [{"name": container}]}}}}


class WritesBack(unittest.TestCase):
    def test_what_was_after_its_time_and_only_of_felix(self):
        server = ApiServer()
        self.addCleanup(server.end)
        made = [daemonset("calico-node", "calico-node"), daemonset("other", "other")]
        server.objects[DAEMONSETS] = {"items": made}
        owner = Owner(server.access("admins"), FOLDER, reverts_after=0.3).start()
        self.addCleanup(owner.stop)
        before = copy.deepcopy(made[0]["spec"])
        for one in made:
            one["spec"] = dict(one["spec"], changed=True)
        time.sleep(0.1)
        self.assertEqual([got for got in server.got if got[0] == "PATCH"], [])
        deadline = time.monotonic() + 3
        while PATH.format("calico-node") not in server.objects and time.monotonic() < deadline:
            time.sleep(0.02)
        self.assertEqual(server.objects[PATH.format("calico-node")], {"spec": before})
        self.assertNotIn(PATH.format("other"), server.objects)
