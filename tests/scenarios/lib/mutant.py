"""A catflap whose prove() says closed of every node, whatever was seen. A scenario that it passes does not test the verdict."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))
import changed_build  # noqa: E402

RIGHT = "\nClusterVerdict prove(const ProveInput& input) {"
WRONG = "\nstatic ClusterVerdict honest(const ProveInput& input) {"
ALWAYS_CLOSED = """
namespace catflap {
ClusterVerdict prove(const ProveInput& input) {
  ClusterVerdict cluster = honest(input);
  for (NodeVerdict& node : cluster.nodes) {
    node.verdict = Verdict::closed;
    node.reasons.clear();
  }
  cluster.counts = {{Verdict::closed, static_cast<int>(cluster.nodes.size())}};
  cluster.verdict = Verdict::closed;
  return cluster;
}
}
"""


def build(root):
    """The program."""
    source = root / "src/core/prove/prove.cpp"
    text = source.read_text()
    if text.count(RIGHT) != 1:
        raise SystemExit(f"tests/scenarios/lib/mutant.py: {source} does not have this once: {RIGHT.strip()}")
    return changed_build.build(root, source, text.replace(RIGHT, WRONG) + ALWAYS_CLOSED, "catflap", root / "build/mutants/always-closed")
