"""JSON documents and schemas/."""

import copy
import json

import yaml

from lib import schemas
from lib.case import case, holds, same

COMMANDS = (("diagnose",), ("plan",), ("wait",), ("verify", "--settle", "3s"), ("undo", "--yes"),
            ("close", "--dry-run=client"), ("version",), ("explain", "CF0001"),
            ("diagnose", "--no-such-flag"))


@case(twin="a-wrong-document-does-not", last=True)
def every_document_follows_its_schema(c):
    """Each document that was printed in this run of the tests, and at least one of each command."""
    for command in COMMANDS:
        c.catflap(*command, "-o", "json")
    problems, kinds = [], set()
    for output in c.documents:
        try:
            document = json.loads(output.out)
        except json.JSONDecodeError as error:
            problems.append(f"$ {output.shown}\n  {error}")
            continue
        kinds.add(document.get("kind"))
        problems += [f"$ {output.shown}\n  {line}" for line in schemas.problems_of(document)]
    holds(not problems, f"{len(problems)} problems in {len(c.documents)} documents:\n"
          + "\n".join(problems[:15]))
    wanted = {"Diagnosis", "Plan", "Rollout", "Evidence", "UndoResult", "Version", "Explanation",
              "Error"}
    same("kinds", kinds & wanted, wanted)


@case(twin="every-document-follows-its-schema", last=True)
def a_wrong_document_does_not(c):
    """The schemas refuse what they do not name, and verdicts that do not exist."""
    right = c.catflap("diagnose", "-o", "json").json
    same("problems of the right one", schemas.problems_of(right), [])
    for spoil in (lambda d: d.update(surprise=1), lambda d: d["cluster"].update(verdict="shut"),
                  lambda d: d["nodes"][0].pop("verdict"), lambda d: d.update(kind="Surprise")):
        wrong = copy.deepcopy(right)
        spoil(wrong)
        holds(schemas.problems_of(wrong), "a wrong document passes")


@case(twin="a-wrong-document-does-not", last=True)
def yaml_and_json_say_the_same(c):
    """-o yaml is the same document."""
    one, other = (c.catflap("explain", "CF0001", "-o", name).out for name in ("json", "yaml"))
    as_json, as_yaml = json.loads(one), yaml.safe_load(other)
    for document in (as_json, as_yaml):
        document.pop("metadata")  # has the time of the run
    same("document", as_yaml, as_json)
