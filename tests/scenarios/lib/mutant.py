"""A catflap whose prove() says closed of every node, whatever was seen. A scenario that it passes does not test the verdict."""

import json
import pathlib
import shlex
import subprocess

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
    """Compiles the one changed file and links it before the library, whose own copy is then not taken."""
    source = root / "src/core/prove/prove.cpp"
    text = source.read_text()
    if text.count(RIGHT) != 1:
        raise SystemExit(f"tests/scenarios/lib/mutant.py: {source} does not have this once: {RIGHT.strip()}")
    folder, build_folder = root / "build/mutants/always-closed", root / "build/dev"
    folder.mkdir(parents=True, exist_ok=True)
    changed, built, program = folder / "prove.cpp", folder / "mutant.o", folder / "catflap"
    changed.write_text(text.replace(RIGHT, WRONG) + ALWAYS_CLOSED)
    program.unlink(missing_ok=True)
    commands = json.loads((build_folder / "compile_commands.json").read_text())
    command = shlex.split(next(one["command"] for one in commands if pathlib.Path(one["file"]) == source))
    command[command.index("-o") + 1] = str(built)
    command[command.index("-c") + 1] = str(changed)
    subprocess.run([*command, "-w"], check=True, cwd=build_folder)
    link = subprocess.run(["ninja", "-C", build_folder, "-t", "commands", "catflap"], check=True, capture_output=True, text=True)
    # ": && g++ … -o catflap … && :"
    parts = shlex.split(link.stdout.splitlines()[-1].replace(": &&", "").replace("&& :", ""))
    parts[parts.index("-o") + 1] = str(program)
    parts.insert(parts.index("-o"), str(built))
    subprocess.run(parts, check=True, cwd=build_folder)
    return program
