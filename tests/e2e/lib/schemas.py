"""Every JSON document that catflap prints in a test is checked against schemas/."""

import json
import pathlib
import re

import jsonschema

from lib.case import Failure

FOLDER = pathlib.Path(__file__).resolve().parents[3] / "schemas"


def check(document):
    kind = document.get("kind")
    path = FOLDER / f"{re.sub('(?<=[a-z])(?=[A-Z])', '-', str(kind)).lower()}.schema.json"
    if not path.exists():
        raise Failure(f"there is no schema {path.name} for the document's kind {kind!r}")
    store = {}
    for file in FOLDER.glob("*.schema.json"):
        schema = json.loads(file.read_text())
        store[file.as_uri()] = schema
        if "$id" in schema:
            store[schema["$id"]] = schema
    schema = store[path.as_uri()]
    resolver = jsonschema.RefResolver(schema.get("$id", path.as_uri()), schema, store=store)
    validator = jsonschema.Draft202012Validator(schema, resolver=resolver)
    problems = sorted(validator.iter_errors(document), key=lambda e: list(map(str, e.path)))
    if problems:
        lines = [f"  {'/'.join(map(str, e.absolute_path))}: {e.message[:300]}" for e in problems[:10]]
        raise Failure(f"the {kind} does not follow {path.name}:\n" + "\n".join(lines))
