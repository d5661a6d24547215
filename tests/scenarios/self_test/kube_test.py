"""The objects that the kube backend makes of a scenario."""

import unittest

from lib import kube_objects


def environment(cluster):
    daemon_set, = kube_objects.Objects(cluster).daemon_sets()
    return [(one["name"], one.get("value")) for one in kube_objects.felix_of(daemon_set["spec"]["template"])["env"]
            if one["name"] in ("A", "IP")]


class Environment(unittest.TestCase):
    def test_a_map_sets_where_the_name_stands(self):
        self.assertEqual(environment({"env": {"IP": "none", "A": "1"}}), [("IP", "none"), ("A", "1")])

    def test_a_list_is_appended_with_duplicates(self):
        changes = [{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]
        self.assertEqual(environment({"env": changes}), [("IP", "autodetect"), ("A", "1"), ("A", "2")])


class Objects(unittest.TestCase):
    def test_patches_come_after_objects(self):
        objects = kube_objects.Objects({
            "objects": [{"apiVersion": "crd.projectcalico.org/v1", "kind": "FelixConfiguration",
                         "metadata": {"name": "default"}, "spec": {"prometheusMetricsEnabled": True}}],
            "patches": [{"target": "felixconfiguration/default", "merge": {"spec": {"prometheusMetricsEnabled": None}}}]})
        felix, = [one for one in objects.others() if one["kind"] == "FelixConfiguration"]
        self.assertEqual(felix["spec"]["logSeverityScreen"], "Info")
        self.assertNotIn("prometheusMetricsEnabled", felix["spec"])

    def test_a_patch_of_nothing_is_refused(self):
        with self.assertRaisesRegex(ValueError, "daemonset/kube-system/canal"):
            kube_objects.Objects({"patches": [{"target": "daemonset/kube-system/canal", "merge": {}}]})

    def test_the_version_is_that_of_all_images(self):
        daemon_set, = kube_objects.Objects({"calico": "v3.99.0"}).daemon_sets()
        spec = daemon_set["spec"]["template"]["spec"]
        self.assertEqual({one["image"].rpartition(":")[2] for one in spec["containers"] + spec["initContainers"]}, {"v3.99.0"})
