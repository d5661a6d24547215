"""What catflap said of the embedded cluster beside what it said of the real control plane: the same, apart from what must differ
between any two clusters, and from what a look into the pods adds: in KWOK's nothing runs that could be looked into."""

import json
import re
import shlex
import shutil

BACKENDS = ("sim", "kube")
ANY = "…"
# Keys whose values are of this cluster or this moment only.
OWN = re.compile(r"(uid|.*Uid|id|runId|hash|digest|server|context|resourceVersion|.*[gG]eneration|revision|kubernetes|user|pod|"
                 r"bytes|.*(At|Time|Seconds|Ms|Since|Until))$")
HOW_OFTEN = ("looks", "stability")  # diagnose looks twice where something is younger than a minute, as all on kube is
FROM_INSIDE = ("basis", "listening", "reasons")  # of a node
BY_CHANCE = ("reset", "timeout")  # outcomes whose words depend on which of two ends was first
AT_RANDOM = ("env-case-variants-closed",)  # Felix itself picks one of the names
# The same inside of texts.
VARYING = (
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"), "TIME"),
    (re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"), "UID"),
    (re.compile(r"\b(calico-node|canal)-[a-z0-9]{5}\b"), r"\1-POD"),
    (re.compile(r"\S*/evidence-\S*\.json"), "EVIDENCE"),
    (re.compile(r"\b127\.0\.0\.1:\d{5}\b"), "SERVER"),
    (re.compile(r"\b\d+(\.\d+)? ?(ms|s|min)\b"), "SPAN"),
)


def is_compared(step):
    """A command whose output has a form, and that has one right answer: not where it is killed, or Felix picks at random."""
    return "json" in shlex.split(step.get("run", "")) and not isinstance(step.get("exit"), dict)


def looks_inside(step):
    words = shlex.split(step["run"])
    return words[1] in ("verify", "close") and "direct" not in words


def neutral(value):
    """Without what must differ, and without the empty values of an environment, which a real API server leaves out. Lists of things
    without an order of their own are compared in the order of what is left."""
    if isinstance(value, dict):
        if value.get("outcome") in BY_CHANCE:
            value = dict(value, detail=ANY)
        return {key: ANY if OWN.match(key) and one is not None and not isinstance(one, (dict, list)) else neutral(one)
                for key, one in value.items() if (key, one) != ("value", "")}
    if isinstance(value, list):
        return sorted(map(neutral, value), key=lambda one: json.dumps(one, sort_keys=True))
    if isinstance(value, str):
        for pattern, word in VARYING:
            value = pattern.sub(word, value)
    return value


def differing(left, right, path=""):
    """The first few paths at which two neutral documents differ, with what stands there."""
    if isinstance(left, dict) and isinstance(right, dict):
        for key in sorted(left.keys() | right.keys()):
            yield from differing(left.get(key, "(absent)"), right.get(key, "(absent)"), f"{path}.{key}" if path else key)
    elif isinstance(left, list) and isinstance(right, list) and len(left) == len(right):
        for index, (one, other) in enumerate(zip(left, right)):
            yield from differing(one, other, f"{path}[{index}]")
    elif left != right:
        yield f"{path}: {shown(left)} and {shown(right)}"


def shown(value):
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 160 else text[:160] + ANY


def record(into, scenario, backend, folder):
    """Keeps what catflap said in a scenario that was just played, and whose `folder` is still there; nothing of an earlier time."""
    kept = into / scenario.name / backend
    shutil.rmtree(kept, ignore_errors=True)
    kept.mkdir(parents=True)
    for path in folder.glob("step-*.json"):
        shutil.copy(path, kept)


def compared(records, scenarios):
    """(lines to print, none if nothing was said on both; whether all of it is the same)."""
    lines, same = [], True
    for scenario in (one for one in scenarios if one.name not in AT_RANDOM):
        folders = [records / scenario.name / one for one in BACKENDS]
        if not all(folder.exists() for folder in folders):
            continue
        for index, step in enumerate(scenario.steps, 1):
            if not is_compared(step):
                continue
            without = FROM_INSIDE if looks_inside(step) else ()
            differences = list(compare(*(read(folder / f"step-{index}.json", without) for folder in folders)))
            same = same and not differences
            lines.append(f"{'not ok' if differences else 'ok'} side by side: {scenario.name}, step {index}")
            lines += [f"    {one}" for one in differences[:10]]
    return lines, same


def read(path, without=()):
    """{exit, out}, with catflap's document instead of its text, less these keys of its nodes and, of a diagnosis, how often it
    looked; None if there is none."""
    try:
        said = json.loads(path.read_text())
        document = json.loads(said["out"])
    except (OSError, ValueError):
        return None
    if document.get("kind") == "Diagnosis":
        for holder in (document, document.get("cluster", {})):
            for key in HOW_OFTEN:
                holder.pop(key, None)
    for node in document.get("nodes", []):
        for key in without:
            node.pop(key, None)
    return dict(said, out=document)


def compare(left, right):
    if left is None or right is None:
        return ["catflap said no JSON on one of them"]
    return list(differing(neutral(left), neutral(right)))
