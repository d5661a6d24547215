#!/usr/bin/python3
"""Holds the golden documents against schemas/. The unit tests hold the program's output against the goldens.

Each golden is also spoilt in three ways (a field more, a field less, a wrong type); a schema that does not notice fails too.
"""
import copy
import json
import pathlib
import sys

import jsonschema

ROOT = pathlib.Path(__file__).resolve().parent.parent
SCHEMA_OF_KIND = {
    "Diagnosis": "diagnosis", "Plan": "plan", "Evidence": "evidence", "Rollout": "rollout", "UndoResult": "undo-result",
    "Error": "error", "Explanation": "explanation", "Version": "version", "Listeners": "listeners", "Probe": "probe",
}


def validator(name):
    schema = json.loads((ROOT / "schemas" / f"{name}.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())


def spoilt(document):
    more = copy.deepcopy(document)
    more["surprise"] = 1
    yield "an unknown field", more
    part, text, number = ("us", "firstByte", "connect") if document["kind"] == "Probe" else ("metadata", "startedAt", "clockSkewMs")
    deep = copy.deepcopy(document)
    deep[part]["surprise"] = 1
    yield f"an unknown field in {part}", deep
    less = copy.deepcopy(document)
    del less[part][text]
    yield f"no {part}.{text}", less
    wrong = copy.deepcopy(document)
    wrong[part][number] = "soon"
    yield "text for a number", wrong


def check(path):
    document = json.loads(path.read_text())
    schema = validator(SCHEMA_OF_KIND[document["kind"]])
    problems = [f"{path.name}: {'/'.join(map(str, e.absolute_path))}: {e.message}" for e in schema.iter_errors(document)]
    problems += [f"{path.name}: {what} goes unnoticed" for what, bad in spoilt(document) if schema.is_valid(bad)]
    return document["kind"], problems


def check_closed(name, node, path=""):
    """Every object schema says what else may stand in it: nothing, or values of one schema."""
    problems = []
    if isinstance(node, dict):
        if node.get("type") == "object" and "additionalProperties" not in node:
            problems.append(f"{name}: {path}: additionalProperties is missing")
        for key, value in node.items():
            problems += check_closed(name, value, f"{path}/{key}")
    elif isinstance(node, list):
        for i, value in enumerate(node):
            problems += check_closed(name, value, f"{path}/{i}")
    return problems


def main(paths):
    problems, kinds = [], set()
    for path in paths:
        kind, found = check(path)
        kinds.add(kind)
        problems += found
    for missing in sorted(set(SCHEMA_OF_KIND) - kinds) if len(paths) > 1 else []:
        problems.append(f"no golden document of kind {missing}")
    for path in sorted((ROOT / "schemas").glob("*.json")):
        problems += check_closed(path.name, json.loads(path.read_text()))
    print("\n".join(problems) or f"{len(paths)} documents of {len(kinds)} kinds agree with schemas/")
    return 1 if problems else 0


if __name__ == "__main__":
    given = [pathlib.Path(p) for p in sys.argv[1:]]
    sys.exit(main(given or sorted((ROOT / "tests/golden").glob("*.json"))))
