"""Cases, recordings, and the checks that cases are made of.

A recording plays one story on the cluster and keeps what came out; several cases then look at it,
one behaviour each, so that no rollout is waited for twice. A case may also work on the cluster by
itself. Every case names its twin: the case in which the same behaviour must not show.
"""

import json

CASES = {}


class Failure(Exception):
    """A check did not hold; the text says what differed."""


class Setup:
    """What the cluster is put into before a story begins; `last`: when the rest is done."""

    def __init__(self, mode="plain", env="true", pace="together", last=False):
        self.mode, self.env, self.pace, self.last = mode, env, pace, last


class Case:
    def __init__(self, name, play, setup, twin, recording):
        self.name, self.play, self.setup = name, play, setup
        self.twin, self.recording = twin, recording


class Recording:
    def __init__(self, play, setup):
        self.play, self.setup = play, setup
        self.name = play.__name__.replace("_", "-")
        self.forget()

    def forget(self):
        """It is played anew for the next case."""
        self.kept = None
        self.failure = None


def recording(**setup):
    """The function gets the cluster and returns what its cases get."""
    return lambda play: Recording(play, Setup(**setup))


def case(twin, of=None, **setup):
    """`twin` is a case's name; of the same file, the part after the dot is enough."""

    def register(play):
        group = play.__module__
        name = f"{group}.{play.__name__.replace('_', '-')}"
        if name in CASES:
            raise ValueError(f"two cases are called {name}")
        full_twin = twin if "." in twin else f"{group}.{twin}"
        where = of.setup if of else Setup(**setup)
        CASES[name] = Case(name, play, where, full_twin, of)
        return play

    return register


def check_twins():
    for name, one in CASES.items():
        if one.twin not in CASES or one.twin == name:
            raise ValueError(f"{name}: its twin {one.twin} is not a case")


def same(what, got, wanted):
    if got != wanted:
        raise Failure(f"{what}\n  wanted: {short(wanted)}\n  got:    {short(got)}")


def differs(what, got, other):
    if got == other:
        raise Failure(f"{what}: both are {short(got)}")


def holds(condition, what):
    if not condition:
        raise Failure(what)


def says(text, *parts):
    """Each part is in the text, in any case."""
    for part in parts:
        if part.lower() not in text.lower():
            raise Failure(f"does not say {part!r}:\n{short(text)}")


def short(value, limit=4000):
    text = value if isinstance(value, str) else json.dumps(value, default=sorted)
    return text if len(text) <= limit else text[:limit] + f" … ({len(text)} characters)"


# --- reading catflap's documents ---------------------------------------------------------------


def verdicts(document):
    """{"n1": "closed", …}"""
    return {node["name"]: node["verdict"] for node in document["nodes"]}


def all_are(verdict):
    return {"n1": verdict, "n2": verdict, "n3": verdict}


def node_of(document, name):
    for node in document["nodes"]:
        if node["name"] == name:
            return node
    raise Failure(f"no node {name} in the {document['kind']}")


def bases(document):
    return {node["name"]: node["basis"] for node in document["nodes"]}


def finding_codes(document):
    """The codes of all findings, the cluster's and the nodes'; of a plan, its warnings and refusals too."""
    lists = [document.get("findings", []), document.get("warnings", []),
             [refusal["message"] for refusal in document.get("refusals", [])],
             document.get("cluster", {}).get("findings", []),
             *(node.get("findings", []) for node in document.get("nodes", []))]
    return {finding["code"] for findings in lists for finding in findings}


def reason_codes(document, name):
    return [reason["code"] for reason in node_of(document, name)["reasons"]]


def env_entries(template, variable):
    """All entries of calico-node's env that are called so, whatever their case, in order."""
    container = next(c for c in template["spec"]["containers"] if c["name"] == "calico-node")
    return [e for e in container["env"] if e["name"].lower() == variable.lower()]


def exact(template):
    """The bytes that two templates are compared by: nothing may differ, order included."""
    return json.dumps(template)
