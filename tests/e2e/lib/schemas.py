"""Every JSON document that catflap prints in a test is checked against schemas/."""

import functools
import json
import pathlib
import re

import jsonschema

FOLDER = pathlib.Path(__file__).resolve().parents[3] / "schemas"


def problems_of(document):
    """What is wrong with it, as lines; none if it follows the schema of its kind."""
    kind = str(document.get("kind"))
    path = FOLDER / f"{re.sub('(?<=[a-z])(?=[A-Z])', '-', kind).lower()}.schema.json"
    if not path.exists():
        return [f"there is no schema {path.name} for the kind {kind}"]
    schema = json.loads(path.read_text())
    resolver = jsonschema.RefResolver(schema.get("$id", path.as_uri()), schema, store=all_schemas())
    validator = jsonschema.Draft202012Validator(schema, resolver=resolver)
    return [f"{kind} {'/'.join(map(str, error.absolute_path))}: {error.message[:300]}"
            for error in validator.iter_errors(document)]


@functools.lru_cache(maxsize=1)
def all_schemas():
    """By address, for references from one file to another."""
    store = {}
    for file in FOLDER.glob("*.schema.json"):
        schema = json.loads(file.read_text())
        store[file.as_uri()] = schema
        if "$id" in schema:
            store[schema["$id"]] = schema
    return store
