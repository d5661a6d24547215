"""Who answers at an endpoint: real parts of Calico beside each other."""

import json
from types import SimpleNamespace

from lib import commands
from lib.case import Failure, case, recording, same
from lib.cluster import SCRIPT

TYPHA, KUBE_CONTROLLERS = "10.91.0.1:9093", "10.91.0.1:9094"


def script(c, *arguments, seconds=20):
    return commands.run(" ".join(arguments), [SCRIPT, *arguments], c.log, seconds=seconds).out


def serves(c, endpoint, series):
    return f"\n{series}" in script(c, "in", "curl", "-s", "-m", "3", f"http://{endpoint}/metrics")


def asked(c, *endpoints):
    """{endpoint: what catflap probe says of it}"""
    said = c.catflap("probe", *endpoints, code=0).out
    return {answer["target"]: answer for answer in map(json.loads, said.splitlines())}


@recording()
def parts(c):
    folder = script(c, "parts", seconds=300).strip()
    start = lambda program, *settings: commands.Running(
        program, [SCRIPT, "in", "env", *settings, f"{folder}/{program}"], None, c.log)
    running = [start("calico-typha", "TYPHA_DATASTORETYPE=kubernetes", "TYPHA_LOGFILEPATH=none", "TYPHA_LOGSEVERITYSYS=none",
                     "TYPHA_PROMETHEUSMETRICSENABLED=true"),
               start("kube-controllers", "DATASTORE_TYPE=kubernetes", "ENABLED_CONTROLLERS=node")]
    kept = SimpleNamespace()
    try:
        c.eventually("Typha serves", lambda: serves(c, TYPHA, "typha_connections_active "))
        c.eventually("kube-controllers serves", lambda: serves(c, KUBE_CONTROLLERS, "ipam_"))
        kept.there = asked(c, "10.91.0.11:9091", TYPHA, KUBE_CONTROLLERS)
    except Failure as failure:
        raise Failure(f"{failure}\n" + "\n".join(one.err[-1000:] for one in running)) from None
    finally:
        for one in running:
            one.end()
    kept.gone = asked(c, "10.91.0.11:9091", TYPHA, KUBE_CONTROLLERS)
    return kept


@case(of=parts, twin="only-felix-is-felix")
def typha_and_kube_controllers_are_told(kept):
    """Each by a series that only its own work makes; neither is Felix."""
    for endpoint, identity, mark in ((TYPHA, "typha", "typha_breadcrumb_size_count"), (KUBE_CONTROLLERS, "kube-controllers", "ipam_")):
        answer = kept.there[endpoint]
        same(endpoint, (answer["identity"], answer["felixHost"]), (identity, None))
        same(f"what says so: {answer['mark']}", answer["mark"].startswith(mark), True)


@case(of=parts, twin="typha-and-kube-controllers-are-told")
def only_felix_is_felix(kept):
    """Felix says which node's it is, whoever else is there; where the others were, nobody is."""
    for answers in (kept.there, kept.gone):
        answer = answers["10.91.0.11:9091"]
        same("10.91.0.11:9091", (answer["identity"], answer["felixHost"]), ("felix", "n1"))
    same("the others", [kept.gone[one]["outcome"] for one in (TYPHA, KUBE_CONTROLLERS)], ["refused", "refused"])
