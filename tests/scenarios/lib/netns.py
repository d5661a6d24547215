"""The scenario's own network namespace: the nodes' addresses on an interface without a link, and packet filters before them."""

import ipaddress
import os
import subprocess

from lib.backend import CannotRun, Failure

INTERFACE = "nodes"
OURS = [ipaddress.ip_network(text) for text in ("10.91.0.0/16", "fd91::/16")]
TABLE = "scenario"
FILTERS = {  # network: of a scenario, as a rule for what goes to an address of the node
    "drop": "meta l4proto tcp drop",
    "reject": "meta l4proto tcp reject with icmpx type port-unreachable",
    "drop-9091": "tcp dport 9091 drop",
    "reject-9091": "tcp dport 9091 reject with icmpx type port-unreachable",
    # The embedded API server asks the nodes from the loopback address.
    "drop-all-but-apiserver": "{family} saddr != {loopback} meta l4proto tcp drop",
}


def prefix():
    """The command that the next one runs under: a namespace of its own, as root or without."""
    return ["unshare", "--net"] if os.geteuid() == 0 else ["unshare", "--user", "--map-root-user", "--net"]


def check():
    """Raises CannotRun if this machine gives no namespace, or has no programs to fill it."""
    script = "PATH=$PATH:/usr/sbin:/sbin; ip link add probe type bridge && nft list ruleset"
    try:
        done = subprocess.run([*prefix(), "sh", "-c", script], capture_output=True, text=True, timeout=20, check=False)
    except OSError as error:
        raise CannotRun(str(error)) from None
    if done.returncode != 0:
        raise CannotRun(f"no network namespace of its own: {(done.stderr.strip().splitlines() or ['no reason given'])[-1]}")


def addresses_of(node):
    return [one["address"] if isinstance(one, dict) else one for one in node["addresses"]]


def set_up(nodes):
    """lo and an interface with those of the nodes' addresses that are in our networks; others stay unreachable."""
    run("ip", "link", "set", "lo", "up")
    run("ip", "link", "add", INTERFACE, "type", "bridge")  # not every kernel has dummies
    run("ip", "link", "set", INTERFACE, "up")
    for network in OURS:
        run("ip", f"-{network.version}", "route", "add", str(network), "dev", INTERFACE)
    for node in nodes:
        for text in addresses_of(node):
            address = ipaddress.ip_address(text)
            if any(address in network for network in OURS if network.version == address.version):
                # Of one address only, so that what goes to a node comes from itself and meets no other node's filter.
                whole = [f"{text}/32"] if address.version == 4 else [f"{text}/128", "nodad"]
                run("ip", "address", "add", *whole, "dev", INTERFACE)


def filter_nodes(nodes, network):
    """`network`: {node: one of FILTERS}. All here is one machine, so what reaches the node's address
    is stopped wherever it comes from; the look inside does not come over the network."""
    if not network:
        return
    rules = []
    for node in nodes:
        for text in addresses_of(node) if node["name"] in network else []:
            family, loopback = ("ip6", "::1") if ":" in text else ("ip", "127.0.0.1")
            rule = FILTERS[network[node["name"]]].format(family=family, loopback=loopback)
            rules.append(f"  {family} daddr {text} {rule}")
    run("nft", "-f", "-", stdin="\n".join([
        f"table inet {TABLE} {{", " chain input {", "  type filter hook input priority -300;", *rules, " }", "}", ""]))


def run(*command, stdin=None):
    environment = dict(os.environ, PATH=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=20, env=environment, check=False)
    if done.returncode != 0:
        raise Failure(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout
