"""The agent's Jobs on real kubelets, with either image: what they see, and that nothing of them is left."""

from types import SimpleNamespace

from lib.case import all_are, bases, case, recording, same, verdicts


def look(c):
    """What verify says by the Jobs alone, with the image that each node has and with catflap's own."""
    said = {}
    for name, image in {"calico-node's image": [], "catflap's image": ["--image", c.own_image()]}.items():
        said[name] = c.catflap("verify", "--from", "agent", *image, "--settle", "3s", "-o", "json")
    jobs = c.kubectl("-n", "kube-system", "get", "jobs", "-o", "name")
    return SimpleNamespace(said=said, jobs=jobs)


@recording(env="false")
def closed(c):
    return look(c)


@recording(env="true")
def opened(c):
    return look(c)


@case(of=closed, twin="agent-finds-it-open")
def agent_proves_it_closed(kept):
    """Either image shows from inside that every node is closed."""
    for name, output in kept.said.items():
        same(f"exit code with {name}", output.code, 0)
        same(f"verdicts with {name}", verdicts(output.json), all_are("closed"))
        same(f"bases with {name}", bases(output.json), all_are("inside"))
    same("Jobs that are left", kept.jobs, "")


@case(of=opened, twin="agent-proves-it-closed")
def agent_finds_it_open(kept):
    """With either image no node is closed where Felix listens."""
    for name, output in kept.said.items():
        same(f"exit code with {name}", output.code, 1)
        same(f"verdicts with {name}", verdicts(output.json), all_are("exposed"))
    same("Jobs that are left", kept.jobs, "")
