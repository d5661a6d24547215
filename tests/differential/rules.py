"""The rules of docs/how-it-decides.md that a run must have met: a case and Felix's answer in, the names of the rules out.

A rule that no case hits is a rule that was not tested; the driver fails on it.
"""

import json
import re

from cases import ANNOTATION, ENABLED, HOST, METADATA, NODE, PARAMETERS, PORT

INTEGER_WORDS = {"hex": r"[+-]?0[xX]", "octal": r"[+-]?0[oO0-7]", "binary": r"[+-]?0[bB]", "underscore": r".*\d_\d", "sign": r"[+-]"}
SOURCES = {"environment variable": "env", "config file": "file", "datastore (per-host)": "fc-node",
           "datastore (global)": "fc-default", "": "compiled"}

NAMES = (["a value of every layer decides: " + layer for layer in SOURCES.values()] + [
    "env: a name in another case", "env: the last of two entries with one name counts", "env: names that differ in case, at random",
    "env: $(VAR) is expanded", "env: $$ is not", "env: underscores make another name", "empty falls through", "none is the zero value",
    "an invalid value is the default and masks", "bool: words other than true and false", "bool: blanks are not trimmed",
    "port: 0 is a value", "port: out of range is the default", "host: what is no address is the default", "file: sections are merged",
    "file: comments are cut off",
    "file: a name in another case", "file: names that differ in case, at random", "file: Felix does not start with it",
    "object: a field of the spec decides", "object: an annotation outranks the spec",
    "object: an empty annotation hides the spec",
    "object: an annotation in another case, at random", "object: an embedded annotation decides", "object: embedded metadata is broken",
    "object: embedded metadata is empty", "object: embedded metadata has another name",
    "object: of another node", "object: of another name", "object: Felix's client cannot use it"]
    + ["port: " + word for word in INTEGER_WORDS])


def spelt(parameter, name):
    return name.lower().replace("\u212a", "k") == parameter.lower()


def of_env(case, outcomes):
    names = [entry["name"] for entry in case["env"]]
    seen = {}
    for entry in case["env"]:
        for parameter in PARAMETERS:
            if spelt("felix_" + parameter, entry["name"]):
                seen.setdefault(parameter, []).append(entry)
                if entry["name"] != "FELIX_" + parameter.upper():
                    yield "env: a name in another case"
                if re.search(r"(?<!\$)\$\((SWITCH|PORT)\)", entry["value"]) and "SWITCH" in names:
                    yield "env: $(VAR) is expanded"
                if "$$(" in entry["value"]:
                    yield "env: $$ is not"
    if "FELIX_PROMETHEUS_METRICS_ENABLED" in names:
        yield "env: underscores make another name"
    for parameter, entries in seen.items():
        spellings = {entry["name"] for entry in entries}
        if len(spellings) < len(entries):
            yield "env: the last of two entries with one name counts"
        if len(spellings) > 1 and len({outcome[parameter]["value"] for outcome in outcomes}) > 1:
            yield "env: names that differ in case, at random"


def of_file(case, answer):
    if "fileError" in answer:
        yield "file: Felix does not start with it"
        return
    decided = [p for p in PARAMETERS if answer["outcomes"][0][p]["source"] == "config file"]
    if decided and re.search(r"^\[\w", case["file"], re.M):
        yield "file: sections are merged"
    for parameter in decided:
        if re.search(rf"^\s*{parameter}\s*[=:][^\n]*[;#]", case["file"], re.M | re.I):
            yield "file: comments are cut off"
        keys = {key for key in re.findall(r"^\s*([^=:#;\s]+)\s*[=:]", case["file"], re.M) if spelt(parameter, key)}
        if keys and parameter not in keys:
            yield "file: a name in another case"
        if len(keys) > 1 and len({outcome[parameter]["value"] for outcome in answer["outcomes"]}) > 1:
            yield "file: names that differ in case, at random"


def of_objects(case, answer):
    for made in case["objects"]:
        name, spec = made["metadata"]["name"], made.get("spec", {})
        if name in answer.get("unusable", []):
            yield "object: Felix's client cannot use it"
            if METADATA in made["metadata"].get("annotations", {}):
                yield "object: embedded metadata is broken"
            continue
        if name not in ("default", "node." + NODE):
            yield "object: of another node" if name.startswith("node.") else "object: of another name"
            continue
        yield from of_object(made, name, spec, answer["outcomes"])


def of_object(made, name, spec, outcomes):
    annotations = made["metadata"].get("annotations", {})
    try:
        inner = json.loads(annotations.get(METADATA) or "{}") or {}
        embedded = inner.get("annotations") or {}
    except (ValueError, AttributeError):
        inner = embedded = {}
    if METADATA in annotations and not inner:
        yield "object: embedded metadata is empty"
    if inner and inner.get("name", name) != name:
        yield "object: embedded metadata has another name"
    source = "datastore (global)" if name == "default" else "datastore (per-host)"
    for parameter in PARAMETERS:
        field, key = spec.get(parameter[0].lower() + parameter[1:]), ANNOTATION + parameter
        below = ("", "datastore (global)") if name != "default" else ("",)
        if annotations.get(key) == "" and field not in (None, "") and outcomes[0][parameter]["source"] in below:
            yield "object: an empty annotation hides the spec"
        if outcomes[0][parameter]["source"] != source:
            continue
        if key in embedded:
            yield "object: an embedded annotation decides"
        elif annotations.get(key) and field not in (None, ""):
            yield "object: an annotation outranks the spec"
        elif field not in (None, "") and len(outcomes) == 1:
            yield "object: a field of the spec decides"
        if any(spelt(ANNOTATION + parameter, k) and k != key for k in [*annotations, *embedded]) and len(outcomes) > 1:
            yield "object: an annotation in another case, at random"


def of_values(case, outcomes):
    for entry in case["env"]:
        raw = entry["value"]
        for parameter in PARAMETERS:
            if not spelt("felix_" + parameter, entry["name"]) or "$" in raw:
                continue
            yield from of_value(parameter, raw, outcomes[0][parameter], len(outcomes))


def of_value(parameter, raw, decided, count):
    if raw == "":
        if decided["source"] != "environment variable":
            yield "empty falls through"
        return
    if decided["source"] != "environment variable" or count > 1:
        return
    value = decided["value"]
    if raw.lower() == "none":
        yield "none is the zero value"
    elif parameter == ENABLED:
        if raw.lower() in ("1", "0", "yes", "no", "y", "n", "t", "f"):
            yield "bool: words other than true and false"
        if raw.lower() in ("on", "off", "enabled", "2", "tru"):
            yield "an invalid value is the default and masks"
        if raw != raw.strip():
            yield "bool: blanks are not trimmed"
    elif parameter == PORT:
        if value == "0":
            yield "port: 0 is a value"
        if raw in ("-1", "65536", "70000"):
            yield "port: out of range is the default"
        for word, pattern in INTEGER_WORDS.items():
            if re.match(pattern, raw) and (value != "9091" or raw != "9091"):
                yield "port: " + word
    elif parameter == HOST and value == "":
        yield "host: what is no address is the default"


def hit(case, answer):
    """The names of the rules that this case exercised."""
    outcomes = answer["outcomes"]
    for outcome in outcomes:
        for parameter in PARAMETERS:
            yield "a value of every layer decides: " + SOURCES[outcome[parameter]["source"]]
    yield from of_env(case, outcomes)
    yield from of_file(case, answer)
    yield from of_objects(case, answer)
    yield from of_values(case, outcomes)
