"""Random cases for the differential test, aimed at the edges of how Felix decides.

A case is what one Felix sees: {"node", "env": [{"name", "value"}], "file": text of felix.cfg, "objects":
[FelixConfiguration]}, and if names that differ in case only could meet in it, "repeat": how often the oracle looks,
because Go's maps have no order, and "until": the parameters of those names; two values of each are enough.
"""

import json
import random

ENABLED, PORT, HOST = PARAMETERS = ("PrometheusMetricsEnabled", "PrometheusMetricsPort", "PrometheusMetricsHost")
ANNOTATION = "config.projectcalico.org/"
METADATA = "projectcalico.org/metadata"
NODE = "n1"
REPEAT = 40
UID = "1b5d2b07-5d8a-4d0a-a8b0-4f0b4ff2a6a6"

BOOLEANS = ["true", "false"] * 6 + ["1", "0", "yes", "NO", "y", "n", "T", "f", "True", "FALSE", "on", "off", "enabled",
                                    " true", "false ", "none", "None", "", "", "2", "tru", "$(SWITCH)", "$$(SWITCH)"]
# Not 9091 in other spellings: an invalid port counts as 9091, so those would not tell read from misread.
PORTS = ["9091", "9091", "9100", "0", "0", "none", "", "junk", "-1", "+9100", "65535", "65536", "70000", "0x238c", "0X238C",
         "0b11", "0o21614", "021614", "09100", "9_100", "0x_238c", "9__100", "_9100", "9100_", "9100 ", "1e3",
         "99999999999999999999", "$(PORT)"]
HOSTS = ["", "127.0.0.1", "::1", "localhost", "0.0.0.0", "10.0.0.1", "none", "NONE", "[::1]", "fe80::1%eth0", "a b", "x" * 64,
         "x" * 65, "host.name", "a+b", "$(MISSING)", "a_b", "\u00e4"]
VALUES = {ENABLED: BOOLEANS, PORT: PORTS, HOST: HOSTS}


class Maker:
    """Makes one case after the other from one seed."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def chance(self, probability):
        return self.random.random() < probability

    def pick(self, items):
        return self.random.choice(items)

    def parameter(self):
        return self.pick((ENABLED, ENABLED, PORT, HOST))

    def recased(self, text, probability=0.25):
        """The same name in another case, sometimes with a letter whose lower case only Go folds."""
        if not self.chance(probability):
            return text
        kind = self.random.randrange(4)
        if kind == 3 and "k" in text.lower():
            return text.replace("k", "\u212a").replace("K", "\u212a")
        return (text.lower(), text.upper(), text.swapcase(), text.title())[kind]

    def value(self, parameter):
        if parameter == PORT and self.chance(0.15):
            return "".join(self.pick("0123456789_xXbBoO+-aAfF") for _ in range(self.random.randint(1, 6)))
        return self.pick(VALUES[parameter])

    def env_name(self, parameter):
        if self.chance(0.05):  # Felix does not know these
            return "FELIX_PROMETHEUS_METRICS_ENABLED"
        if self.chance(0.05):
            return "XFELIX_" + parameter.upper()
        return self.recased("FELIX_" + parameter.upper(), 0.2)

    def env(self):
        entries = []
        if self.chance(0.2):
            entries += [{"name": "SWITCH", "value": self.pick(["true", "false", "", "$(PORT)"])},
                        {"name": "PORT", "value": self.pick(PORTS)}]
        for _ in range(self.pick((0, 0, 0, 1, 1, 2, 3, 4))):
            parameter = self.parameter()
            entries.append({"name": self.env_name(parameter), "value": self.value(parameter)})
        if self.chance(0.2):
            self.random.shuffle(entries)
        return entries

    def file(self):
        if self.chance(0.55):
            return ""
        lines = []
        for _ in range(self.random.randint(1, 5)):
            parameter = self.parameter()
            key, text = self.recased(parameter), self.value(parameter)
            text = self.pick((text, text, f'"{text}"', f"'{text}'", f"`{text}`", text + " ; why", text + " # why"))
            line = self.pick((f"{key} = {text}", f"{key}={text}", f"{key}: {text}", f"  {key} = {text}"))
            if self.chance(0.3):
                line = self.pick(("[global]", "[x]", "[y]", "[global]", "[x]", "[x", "[]", "# " + line, "; " + line, "", line + "\\"))
            lines.append(self.pick((key, "= " + text)) if self.chance(0.03) else line)
        text = self.pick(("\n", "\n", "\n", "\r\n")).join(lines)
        if text and self.chance(0.04):
            at = self.random.randrange(len(text))
            text = text[:at] + self.pick('[]"`\\\n=%\ufeff') + text[at:]
        return self.pick(("", "", "\ufeff")) + text if self.chance(0.03) else text

    def annotations(self, most=2):
        entries = {}
        for _ in range(self.pick((0, 0, 0, 1, most))):
            parameter = self.parameter()
            entries[self.pick((ANNOTATION,) * 12 + ("Config.projectcalico.org/",)) + self.recased(parameter, 0.2)] = self.value(parameter)
        return entries

    def embedded(self):
        """Calico's own metadata as JSON in one annotation: whole, odd and broken."""
        meta = {}
        if self.chance(0.8):
            meta[self.pick(("annotations",) * 8 + ("Annotations",))] = self.pick(
                [self.annotations()] * 20 + [None, {}, [], "x", {"a": 5}, {ANNOTATION + ENABLED: None}])
        odd = {"name": ["default", "node.n1", None, 5], "generation": [1, None, "1"], "creationTimestamp":
               [None, "2020-01-01T00:00:00Z", "x", 5], "labels": [None, {"a": "b"}, {"a": 5}], "uid": [UID, 5],
               "finalizers": [["a"], "x"], "ownerReferences": [[], {}, [5]], "managedFields": [[], [{"time": "x"}]],
               "other": [5]}
        for key, values in odd.items():
            if self.chance(0.02):
                meta[key] = self.pick(values)
        text = json.dumps(meta)
        if self.chance(0.05):
            at = self.random.randrange(len(text) + 1)
            text = text[:at] + self.pick(["", "x", "{", "\\", " ", '"']) + text[at + 1:]
        return self.pick(("", "null", "{}", "[]", " ")) if self.chance(0.05) else text

    def object(self, name):
        spec = {}
        for parameter in PARAMETERS:
            if self.chance(0.35):
                good = {ENABLED: [True, False], PORT: [9091, 9100, 0, -1, 70000], HOST: ["", "127.0.0.1", "a b", "none"]}
                bad = {ENABLED: [None, "true", 1], PORT: [None, "9", 1.5, 2 ** 63], HOST: [None, 5]}
                field = parameter[0].lower() + parameter[1:]
                spec[field if self.chance(0.97) else parameter] = self.pick((bad if self.chance(0.02) else good)[parameter])
        metadata = {"name": name, "uid": UID}  # the API server sets it, always a UUID
        annotations = self.annotations()
        if self.chance(0.25):
            annotations[METADATA] = self.embedded()
        if annotations:
            metadata["annotations"] = annotations
        made = {"apiVersion": "crd.projectcalico.org/v1", "kind": "FelixConfiguration", "metadata": metadata}
        if self.chance(0.97):
            made["spec"] = spec
        return made

    def objects(self):
        names = {"default": 0.6, f"node.{NODE}": 0.4, "node.n2": 0.15, "node.n10": 0.05, "zone-a": 0.1, "node": 0.03}
        return [self.object(name) for name, probability in names.items() if self.chance(probability)]

    def case(self):
        random_in_felix = self.chance(0.05)  # such a case costs up to REPEAT others
        while True:
            made = {"node": NODE, "env": self.env(), "file": self.file(), "objects": self.objects()}
            several = variants(made)
            if random_in_felix and several:
                return dict(made, repeat=REPEAT, until=several)
            if not random_in_felix and not several:
                return made

    def cases(self, count):
        return [self.case() for _ in range(count)]


def names_by_place(case):
    """The names of parameters in each place where Go keeps them in a map."""
    yield {entry["name"] for entry in case["env"]}
    yield {line.split("=")[0].split(":")[0].strip("\ufeff \t") for line in case["file"].splitlines()}
    for made in case["objects"]:
        text = json.dumps(made, ensure_ascii=False).replace(ANNOTATION, '"').replace("\\", "")
        # A field of the spec is no other spelling: Felix keeps it under the parameter's name.
        yield {word for word in text.replace('"prometheusMetrics', '"PrometheusMetrics').split('"')}


def variants(case):
    """The parameters whose names could meet somewhere in two spellings. Then one evaluation proves nothing."""
    found = set()
    for names in names_by_place(case):
        folded = [name.lower().replace("\u212a", "k") for name in names]
        found |= {parameter for parameter in PARAMETERS for name in folded
                  if parameter.lower() in name and folded.count(name) > 1}
    return sorted(found)
