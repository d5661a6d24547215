import unittest

from lib.match import MISSING, differences, exit_differences, text_differences

NODES = [{"name": "n1", "verdict": "closed", "pods": [{"ready": True}, {"ready": False}]}, {"name": "n2", "verdict": "unknown"}]
ENV = [{"name": "A", "value": "1"}, {"name": "A", "value": "2"}, {"name": "B", "value": "3"}]

MATCHES = [
    ({"a": 1}, {"a": 1, "b": 2}),
    ({"nodes": {"n1": {"verdict": "closed"}, "n2": {"verdict": "unknown"}}}, {"nodes": NODES}),
    ({"nodes": [{"name": "n2", "verdict": "unknown"}]}, {"nodes": NODES}),
    ({"nodes": {"n3": {"absent": True}}}, {"nodes": NODES}),
    ({"n1": {"pods": [{"ready": False}, {"ready": True}]}}, NODES),
    ({"A": {"value": "2"}}, ENV),
    ([{"name": "A", "value": "2"}, {"name": "A", "value": "1"}], ENV),
    ([1, {"oneOf": [1, 2]}], [2, 1]),
    ({"a": {"regex": "^v1"}}, {"a": "v1.33"}),
    ({"a": {"regex": "^3$"}}, {"a": 3}),
    ({"a": {"oneOf": ["x", {"regex": "y"}]}}, {"a": "xyz"}),
    ({"a": {"absent": True}}, {"b": 1}),
    ({"a": {"oneOf": [{"absent": True}, 2]}}, {}),
    ({"a": None}, {"a": None}),
    ([], [1]),
]
DIFFERS = [
    ({"a": 1}, {"a": True}, ["a"]),
    ({"a": "1"}, {"a": 1}, ["a"]),
    ({"a": 1}, {}, ["a"]),
    ({"a": None}, {}, ["a"]),
    ({"nodes": {"n1": {"verdict": "unknown"}, "n2": {"verdict": "closed"}}}, {"nodes": NODES}, ["nodes.n1.verdict", "nodes.n2.verdict"]),
    ({"nodes": {"n3": {"verdict": "closed"}}}, {"nodes": NODES}, ["nodes.n3"]),
    ({"nodes": {"n1": {"absent": True}}}, {"nodes": NODES}, ["nodes.n1"]),
    ({"nodes": [{"name": "n2", "verdict": "closed"}]}, {"nodes": NODES}, ["nodes[n2].verdict"]),
    ({"A": {"value": "3"}}, ENV, ["A.value"]),
    ([{"name": "B"}, {"name": "B"}], ENV, ["[B]"]),
    ([1, 1], [1], ["[1]"]),
    ([1], {"a": 1}, [""]),
    ({"a": {"regex": "^v2"}}, {"a": "v1.33"}, ["a"]),
    ({"a": {"regex": "x"}}, {}, ["a"]),
    ({"a": {"oneOf": [1, 2]}}, {"a": 3}, ["a"]),
    ({"a": {"absent": True}}, {"a": None}, ["a"]),
]


class Match(unittest.TestCase):
    def test_what_matches(self):
        for wanted, got in MATCHES:
            with self.subTest(wanted=wanted):
                self.assertEqual(differences(wanted, got), [])

    def test_what_differs_and_where(self):
        for wanted, got, paths in DIFFERS:
            with self.subTest(wanted=wanted):
                found = [one.path for one in differences(wanted, got)]
                self.assertEqual(found if len(found) == len(paths) else found[:len(paths)], paths)

    def test_absent_object(self):
        self.assertEqual(differences({"absent": True}, MISSING), [])
        self.assertEqual(len(differences({"kind": "Pod"}, MISSING)), 1)

    def test_exit_codes_of_signals(self):
        for wanted, code, holds in ((0, 0, True), (1, 0, False), (-9, -9, True), (137, -9, True), (9, -9, False),
                                    ({"oneOf": [137, -9]}, -9, True), ({"oneOf": [137, -9]}, 0, False), (137, 137, True)):
            self.assertEqual(not exit_differences(wanted, code), holds, (wanted, code))

    def test_texts(self):
        self.assertEqual(text_differences(["3 of 3", {"regex": "o.e"}, {"oneOf": ["x", "done"]}], "3 of 3 done one", "e"), [])
        self.assertEqual(len(text_differences(["4 of 3", {"regex": "^x"}, {"oneOf": ["x", "y"]}], "3 of 3 done", "e")), 3)
        self.assertEqual(text_differences({"absent": True}, "", "e"), [])
        self.assertEqual(len(text_differences({"absent": True}, "said", "e")), 1)
