"""The format of a scenario file as a table of checks: unknown keys and wrong types are refused by their path."""

import dataclasses
import pathlib
import re
import shlex

import yaml

from lib import match

ROLES = pathlib.Path(__file__).resolve().parents[3] / "deploy"
SERVERS = ("felix", "felix-tls", "felix-mtls", "felix-any-cert", "felix-token", "typha", "pushgateway", "csi",
           "plain-404", "tls-garbage", "reset", "silent", "slow-drip", "endless-body", "huge-header", "redirect-loop")
NETWORK = ("drop", "reject", "reject-9091", "drop-9091", "drop-all-but-apiserver")
MOMENTS = ("before", "after-commit", "after-reply")
INSTALLS = ("manifest", "canal", "operator", "rke2-canal", "k0s", "addon-manager", "windows", "none")
UNITS = {"ms": 0.001, "s": 1, "m": 60}


class Problem(Exception):
    def __init__(self, path, what):
        super().__init__(f"{path}: {what}" if path else what)


def seconds(text):
    number, unit = re.fullmatch(r"(\d+)(ms|s|m)", text).groups()
    return int(number) * UNITS[unit]


# --- checks: each takes a value and its path, and raises Problem --------------------------------


def a(kind, what):
    def check(value, path):
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise Problem(path, f"is to be {what}, and is {match.short(value, 80)}")
    return check


text = a(str, "a text (in quotes, if it looks like a number or a bool)")
flag = a(bool, "true or false")
number = a(int, "a number")
mapping = a(dict, "a map")


def anything(_value, _path):
    pass


def one_of(*values):
    def check(value, path):
        if not isinstance(value, str) or value not in values:
            raise Problem(path, f"is to be one of {', '.join(values)}, and is {match.short(value, 80)}")
    return check


def pattern(expression, what):
    def check(value, path):
        text(value, path)
        if not re.fullmatch(expression, value):
            raise Problem(path, f"is to be {what}, and is {value!r}")
    return check


def list_of(inner, least=0):
    def check(value, path):
        a(list, "a list")(value, path)
        if len(value) < least:
            raise Problem(path, "is empty")
        for index, one in enumerate(value):
            inner(one, f"{path}[{index}]")
    return check


def map_of(inner):
    def check(value, path):
        mapping(value, path)
        for key, one in value.items():
            text(key, path)
            inner(one, f"{path}.{key}")
    return check


def record(required=(), **fields):
    def check(value, path):
        mapping(value, path)
        for key in value:
            if key not in fields:
                raise Problem(path, f"there is no key {key!r} here ({', '.join(fields)})")
        for key in required:
            if key not in value:
                raise Problem(path, f"{key} is missing")
        for key, one in value.items():
            fields[key](one, f"{path}.{key}" if path else key)
    return check


def either(kind, first, second):
    """`first` for a value of this type, else `second`."""
    return lambda value, path: (first if isinstance(value, kind) else second)(value, path)


def maybe(inner):
    """A key with nothing behind it is as good as none."""
    return lambda value, path: None if value is None else inner(value, path)


def expected(value, path):
    """Any value; what looks like a special form has to be one."""
    word = match.special(value)
    if word == "regex":
        text(value["regex"], f"{path}.regex")
        try:
            re.compile(value["regex"])
        except re.error as error:
            raise Problem(f"{path}.regex", str(error)) from None
    elif word == "absent":
        if value["absent"] is not True:
            raise Problem(f"{path}.absent", "is to be true")
    elif word == "oneOf":
        list_of(expected, least=1)(value["oneOf"], f"{path}.oneOf")
    elif isinstance(value, dict):
        for key, one in value.items():
            expected(one, match.inside(path, key))
    elif isinstance(value, list):
        for index, one in enumerate(value):
            expected(one, f"{path}[{index}]")


def expected_text(value, path):
    """Substrings, or one special form for all of it."""
    if match.special(value):
        return expected(value, path)
    list_of(lambda one, at: expected(one, at) if match.special(one) else text(one, at))(value, path)
    return None


def expected_number(value, path):
    (expected if match.special(value) else number)(value, path)


# --- disturbances ------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Action:
    kind: str  # kill | down | 429 | slow | reset | gone | node | kubectl
    seconds: float = 0
    node: str = ""
    state: str = ""
    arguments: tuple = ()


def action_of(do):
    """What `do` says, or None. It is YAML itself: `"kubectl: [delete, pod, x]"`."""
    try:
        said = yaml.safe_load(do) if isinstance(do, str) else do
    except yaml.YAMLError:
        return None
    if said == "kill -9":
        return Action("kill")
    if not isinstance(said, dict) or len(said) != 1:
        return None
    (subject, what), = said.items()
    timed = re.fullmatch(r"(down|slow) (\d+(?:ms|s|m))", str(what))
    if subject == "apiserver" and timed:
        return Action(timed[1], seconds=seconds(timed[2]))
    plain = {("apiserver", "429"): "429", ("reply", "reset"): "reset", ("watch", "410"): "gone",
             ("list", "410"): "expired"}
    if (subject, str(what)) in plain:
        return Action(plain[subject, str(what)])
    if str(subject).startswith("node ") and what in ("NotReady", "Ready"):
        return Action("node", node=subject[len("node "):].strip(), state=what)
    if subject == "kubectl":
        arguments = shlex.split(what) if isinstance(what, str) else what
        if isinstance(arguments, list) and arguments:
            return Action("kubectl", arguments=tuple(str(one) for one in arguments))
    return None


def disturbance(value, path):
    record(required=("do",), at=record(when=one_of(*MOMENTS), verb=text, resource=text, nth=number),
           do=anything, times=number)(value, path)
    action = action_of(value["do"])
    if action is None:
        raise Problem(f"{path}.do", f"nothing is known that is called {match.short(value['do'], 80)}")
    if action.kind == "kill" and "at" not in value:
        raise Problem(path, "between two runs there is no catflap to kill: say `at`")
    if "times" in value and (action.kind != "429" or value["times"] < 1):
        raise Problem(f"{path}.times", "how often the API server says 429, from 1 on")
    if value.get("at", {}).get("nth", 1) < 1:
        raise Problem(f"{path}.at.nth", "counts from 1 on")


# --- the file ----------------------------------------------------------------------------------

duration = pattern(r"\d+(ms|s|m)", "a time such as 3s")
env = either(list, list_of(record(required=("name",), name=text, value=text, valueFrom=mapping)), map_of(text))
address = either(dict, record(required=("address",), address=text, type=text), text)
node = record(required=("name",), name=text, addresses=list_of(address, least=1), labels=map_of(text), annotations=map_of(text),
              taints=list_of(record(required=("key", "effect"), key=text, value=text, effect=text)), ready=flag)
role = one_of(*sorted(file.stem for file in ROLES.glob("*.yaml")))


def nodes(value, path):
    either(list, list_of(node), number)(value, path)
    if isinstance(value, int) and not 0 <= value <= 10000:
        raise Problem(path, "is to be a number from 0 to 10000, or a list")


def object_key(value, path):
    pattern(r"[A-Za-z]+(\.[a-z0-9.-]+)?(/[^/]+){1,2}", "KIND/NAMESPACE/NAME or KIND/NAME")(value, path)


def cluster_after(value, path):
    mapping(value, path)
    for key, one in value.items():
        object_key(key, path)
        mapping(one, f"{path}.{key}")
        expected(one, f"{path}.{key}")


cluster = record(
    kubernetes=text, install=one_of(*INSTALLS), calico=text, vendor_default=flag, nodes=nodes, env=maybe(env),
    felix_cfg=maybe(map_of(text)), objects=maybe(list_of(mapping)),
    patches=maybe(list_of(record(required=("target", "merge"), target=object_key, merge=mapping))),
    pods=maybe(map_of(record(env=env, ready=flag, terminating=flag, stale=flag))),
    listeners=maybe(map_of(list_of(record(required=("port", "serves"), port=number, address=text, serves=one_of(*SERVERS))))),
    network=maybe(map_of(one_of(*NETWORK))),
    owner=maybe(record(required=("kind", "reverts_after"), kind=text, reverts_after=duration)),
    rbac=list_of(role), deny=maybe(list_of(record(required=("verb", "resource"), verb=text, resource=text))))

run_step = record(
    required=("run",), run=text, exit=expected_number, stdout=anything, stderr=expected_text,
    cluster_after=cluster_after, untouched=flag, restarts=map_of(expected_number), felix_starts=map_of(expected_number),
    within=duration, files=map_of(text), save=pattern(r"[A-Za-z0-9_.-]+", "a file's name"))
disturb_step = record(required=("disturb",), disturb=disturbance)


def step(value, path):
    mapping(value, path)
    if ("run" in value) == ("disturb" in value):
        raise Problem(path, "is either a run or a disturb")
    if "disturb" in value:
        return disturb_step(value, path)
    run_step(value, path)
    try:
        words = shlex.split(value["run"])
    except ValueError as error:
        raise Problem(f"{path}.run", str(error)) from None
    if not words or words[0] != "catflap":
        raise Problem(f"{path}.run", "is to begin with catflap")
    for name in value.get("files", {}):
        if not re.fullmatch(r"(\w[\w.-]*/)?\w[\w.-]*", name):
            raise Problem(f"{path}.files", f"{name}: a name, or one in one folder")
    return expected_stdout(value.get("stdout", []), words, f"{path}.stdout")


def expected_stdout(value, words, path):
    if isinstance(value, dict) and not match.special(value):
        if not prints_json(words):
            raise Problem(path, "a map is matched with JSON, and this command has no -o json")
        return expected(value, path)
    return expected_text(value, path)


def prints_json(words):
    joined = " ".join(words)
    return re.search(r"(^| )(-o|--output)[ =]?json( |$)", joined) is not None


def check_document(value):
    if not isinstance(value, dict):
        raise Problem("", "is not a map")
    record(required=("scenario", "why", "steps"),
           scenario=pattern(r"[A-Za-z0-9][A-Za-z0-9._-]*", "a name of letters, digits and -"), why=text,
           twin_of=either(list, list_of(text, least=1), text),
           backends=list_of(one_of("sim", "kube", "node"), least=1), cluster=maybe(cluster),
           steps=list_of(step, least=1))(value, "")
    if not any("run" in one for one in value["steps"]):
        raise Problem("steps", "nothing is run")
    armed = False
    for one in value["steps"]:
        armed = "disturb" in one and (armed or "at" in one["disturb"])
    if armed:
        raise Problem("steps", "the last disturbance waits for a run that does not come")
