"""A program of build/dev with one of its source files changed, for tests of the tests."""

import json
import pathlib
import shlex
import subprocess


def build(root, source, text, target, folder):
    """Compiles `text` instead of `source` and links it before the library, whose own copy is then not taken. Returns the program."""
    folder.mkdir(parents=True, exist_ok=True)
    changed, built, program = folder / source.name, folder / "changed.o", folder / target
    changed.write_text(text)
    program.unlink(missing_ok=True)
    build_folder = root / "build/dev"
    commands = json.loads((build_folder / "compile_commands.json").read_text())
    command = shlex.split(next(one["command"] for one in commands if pathlib.Path(one["file"]) == source))
    command[command.index("-o") + 1] = str(built)
    command[command.index("-c") + 1] = str(changed)
    subprocess.run([*command, "-w"], check=True, cwd=build_folder)
    link = subprocess.run(["ninja", "-C", build_folder, "-t", "commands", target], check=True, capture_output=True, text=True)
    # ": && g++ … -o TARGET … && :"
    parts = shlex.split(link.stdout.splitlines()[-1].replace(": &&", "").replace("&& :", ""))
    parts[parts.index("-o") + 1] = str(program)
    parts.insert(parts.index("-o"), str(built))
    subprocess.run(parts, check=True, cwd=build_folder)
    return program
