"""A scenario file, read and checked: what is not in the format is refused, with the file and the path in it."""

import dataclasses
import pathlib
import shlex

import yaml

from lib import schema

FOLDER = pathlib.Path(__file__).resolve().parents[1]
REPOSITORY = FOLDER.parents[1]
BACKENDS = ("sim", "kube", "node")


class Invalid(Exception):
    """The file is not a scenario; the text says where and why."""


@dataclasses.dataclass(frozen=True)
class Scenario:
    path: pathlib.Path
    document: dict

    @property
    def name(self):
        return self.document["scenario"]

    @property
    def backends(self):
        return self.document.get("backends", list(BACKENDS))

    @property
    def cluster(self):
        return self.document.get("cluster") or {}

    @property
    def steps(self):
        return self.document["steps"]

    @property
    def twins(self):
        names = self.document.get("twin_of", [])
        return [names] if isinstance(names, str) else names

    def nodes(self):
        """[{name, addresses}] with the defaults filled in: n1 n2 n3 at 10.91.0.11, .12, .13."""
        given = self.cluster.get("nodes", 3)
        listed = [{"name": f"n{number}"} for number in range(1, given + 1)] if isinstance(given, int) else given
        return [dict(node, addresses=node.get("addresses") or [f"10.91.{number // 250}.{number % 250}"])
                for number, node in enumerate(listed, 11)]


class StrictLoader(yaml.SafeLoader):
    """YAML that does not take one of two equal keys silently."""

    def construct_mapping(self, node, deep=False):
        seen = set()
        for key, _ in node.value:
            if key.tag == "tag:yaml.org,2002:merge":
                continue
            name = self.construct_object(key, deep=True)
            if isinstance(name, (dict, list)) or name in seen:
                raise yaml.constructor.ConstructorError(None, None, f"the key {name!r} stands twice", key.start_mark)
            seen.add(name)
        return super().construct_mapping(node, deep)


def load(path):
    try:
        document = yaml.load(path.read_text(), StrictLoader)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise Invalid(f"{path}: {' '.join(str(error).split())}") from None
    try:
        schema.check_document(document)
        scenario = Scenario(path, document)
        check_nodes(scenario)
        check_end(scenario)
    except schema.Problem as problem:
        raise Invalid(f"{path}: {problem}") from None
    return scenario


def check_nodes(scenario):
    names = [node["name"] for node in scenario.nodes()]
    if len(set(names)) != len(names):
        raise schema.Problem("cluster.nodes", "two nodes have the same name")
    for key in ("pods", "listeners", "network", "felix_cfg"):
        for name in scenario.cluster.get(key) or {}:
            if name not in names:
                raise schema.Problem(f"cluster.{key}", f"there is no node {name}")
    for index, step in enumerate(scenario.steps):
        for name in step.get("felix_starts", {}):
            if name not in names:
                raise schema.Problem(f"steps[{index}].felix_starts", f"there is no node {name}")
        action = schema.action_of(step["disturb"]["do"]) if "disturb" in step else None
        if action and action.kind == "node" and action.node not in names:
            raise schema.Problem(f"steps[{index}].disturb.do", f"there is no node {action.node}")


def last_cluster(scenario):
    """What the last command's document is expected to say about the cluster."""
    for step in reversed(scenario.steps):
        if "run" in step:
            stdout = step.get("stdout")
            cluster = stdout.get("cluster") if isinstance(stdout, dict) else None
            return cluster if isinstance(cluster, dict) else {}
    return {}


def check_end(scenario):
    """Verdicts that are right for the nodes that were seen say nothing if one was not seen."""
    last = last_cluster(scenario)
    if last.get("verdict") != "closed":
        return
    population = last.get("population")
    counted = bool(last.get("counts")) or (isinstance(population, dict) and "total" in population)
    if not counted:
        raise schema.Problem("steps", "ends with cluster verdict closed and does not state the count of nodes "
                                      "(stdout.cluster.counts)")


def check_together(chosen, known):
    """Names are unique among the chosen files; a twin is a scenario that does not end closed."""
    by_name = {}
    for scenario in chosen:
        if scenario.name in by_name:
            raise Invalid(f"{scenario.path}: scenario: {by_name[scenario.name].path} is called {scenario.name} too")
        by_name[scenario.name] = scenario
    for scenario, name in ((one, name) for one in chosen for name in one.twins):
        twin = by_name.get(name) or next((one for one in known(scenario) if one.name == name), None)
        if twin is None or twin.name == scenario.name:
            raise Invalid(f"{scenario.path}: twin_of: there is no other scenario {name}")
        if last_cluster(twin).get("verdict") == "closed":
            raise Invalid(f"{scenario.path}: twin_of: {twin.name} ends closed too")


def load_all(paths):
    """The scenarios of these files, checked also against each other and against those beside them."""
    chosen = [load(path) for path in dict.fromkeys(path.resolve() for path in paths)]
    cache = {}

    def known(scenario):
        for folder in (scenario.path.parent, FOLDER):
            if folder not in cache:
                cache[folder] = [load(path) for path in sorted(folder.glob("*.yaml"))]
            yield from cache[folder]

    check_together(chosen, known)
    return chosen


def words(command):
    return shlex.split(command)
