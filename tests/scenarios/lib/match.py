"""Is what came out what a scenario expects? A subset match that names every place where it is not.

Expected            matches
a map               a map that has these keys with matching values; or a list of things with a name, by their names
a list              a list that has a thing of its own for each of these, in any order
{regex: TEXT}       a value in whose text (JSON, if it is not a string) the expression is found
{absent: true}      nothing: no such key, object or thing of that name
{oneOf: [A, B]}     what matches A or B
anything else       the same value of the same type
"""

import dataclasses
import json
import re

SPECIAL = ("regex", "absent", "oneOf")
MISSING = object()


@dataclasses.dataclass(frozen=True)
class Difference:
    path: str
    wanted: object
    got: object

    def __str__(self):
        return f"{self.path}\n    wanted: {short(self.wanted)}\n    got:    {short(self.got)}"


def short(value, limit=1500):
    text = "nothing" if value is MISSING else json.dumps(value, default=str)
    return text if len(text) <= limit else f"{text[:limit]} … ({len(text)} characters)"


def special(wanted):
    """The word of a {regex}, {absent} or {oneOf}, or None."""
    if isinstance(wanted, dict) and len(wanted) == 1:
        word = next(iter(wanted))
        return word if word in SPECIAL else None
    return None


def differences(wanted, got, path=""):
    """All places where `got` is not what is wanted."""
    word = special(wanted)
    if word == "absent":
        holds = got is MISSING
    elif got is MISSING:
        holds = word == "oneOf" and any(not differences(one, got) for one in wanted["oneOf"])
    elif word == "regex":
        holds = re.search(wanted["regex"], got if isinstance(got, str) else json.dumps(got)) is not None
    elif word == "oneOf":
        holds = any(not differences(one, got) for one in wanted["oneOf"])
    elif isinstance(wanted, dict) and isinstance(got, dict):
        return [found for key, value in wanted.items()
                for found in differences(value, got.get(key, MISSING), inside(path, key))]
    elif isinstance(wanted, dict) and is_named(got):
        return [found for key, value in wanted.items() for found in among_named(key, value, got, inside(path, key))]
    elif isinstance(wanted, list) and isinstance(got, list):
        return list_differences(wanted, got, path)
    else:
        holds = same(wanted, got)
    return [] if holds else [Difference(path, wanted, got)]


def inside(path, key):
    return f"{path}.{key}" if path else str(key)


def same(wanted, got):
    if isinstance(wanted, bool) or isinstance(got, bool):
        return wanted is got
    if isinstance(wanted, (int, float)) and isinstance(got, (int, float)):
        return wanted == got
    return type(wanted) is type(got) and wanted == got


def is_named(got):
    return isinstance(got, list) and all(isinstance(one, dict) and "name" in one for one in got)


def among_named(name, wanted, things, path):
    """A name may stand in a list more than once: one of them has to match."""
    tries = [differences(wanted, one, path) for one in things if one["name"] == name]
    return min(tries or [differences(wanted, MISSING, path)], key=len)


def list_differences(wanted, got, path):
    """Each wanted thing takes one of its own; what got none is reported, beside its namesakes if there are any."""
    fits = [[not differences(one, other) for other in got] for one in wanted]
    taken = {}  # index of got -> index of wanted

    def place(index, tried):
        for other, fit in enumerate(fits[index]):
            if fit and other not in tried:
                tried.add(other)
                if other not in taken or place(taken[other], tried):
                    taken[other] = index
                    return True
        return False

    found = []
    for index, one in enumerate(wanted):
        if place(index, set()):
            continue
        name = one.get("name") if isinstance(one, dict) else None
        namesakes = [other for other in got if name is not None and isinstance(other, dict) and other.get("name") == name]
        where = f"{path}[{name if isinstance(name, str) else index}]"
        nearer = differences(one, namesakes[0], where) if len(namesakes) == 1 else []
        found += nearer or [Difference(where, one, namesakes or got)]
    return found


def text_differences(wanted, text, path):
    """`wanted`: substrings, each a text or one of the special forms, or one special form for the whole text."""
    if not isinstance(wanted, list):
        return differences(wanted, text if text else MISSING, path)
    return [Difference(path, one, text[-1500:]) for one in wanted if not is_in(one, text)]


def is_in(wanted, text):
    word = special(wanted)
    if word == "regex":
        return re.search(wanted["regex"], text) is not None
    if word == "oneOf":
        return any(is_in(one, text) for one in wanted["oneOf"])
    return wanted in text


def exit_differences(wanted, code):
    """A process that a signal ended has the exit code -SIGNAL, and in a shell's words 128 + SIGNAL."""
    codes = [code] if code >= 0 else [code, 128 - code]
    return [] if any(not differences(wanted, one) for one in codes) else [Difference("exit", wanted, code)]
