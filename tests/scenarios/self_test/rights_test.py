import unittest

from lib import rights


class Rights(unittest.TestCase):
    def test_the_shipped_roles_are_bound_to_the_user(self):
        made = rights.objects("somebody", {"rbac": ["reader", "verifier"]})
        kinds = [one["kind"] for one in made]
        self.assertEqual(kinds, ["ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"] * 2)
        self.assertTrue(all(one["subjects"][0]["name"] == "somebody" for one in made if "subjects" in one))

    def test_what_is_denied_is_taken_away_and_nothing_else(self):
        def verbs(cluster, resource):
            return sorted(verb for one in rights.objects("a", cluster) for rule in one.get("rules", [])
                          if resource in rule["resources"] for verb in rule["verbs"])
        denied = {"rbac": ["reader"], "deny": [{"verb": "list", "resource": "daemonsets"}]}
        self.assertEqual(verbs({"rbac": ["reader"]}, "daemonsets"), ["get", "list", "watch"])
        self.assertEqual(verbs(denied, "daemonsets"), ["get", "watch"])
        self.assertEqual(verbs(denied, "nodes"), verbs({"rbac": ["reader"]}, "nodes"))
