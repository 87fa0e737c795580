#!/usr/bin/env python3
"""Has spin search a model through, and find the bugs that are planted in it.

    tests/models/verify.py MODEL.pml [--also DEFINE]...

The model must be free of errors, in the whole of its states: in its assertions, its end states and each of its `ltl`
formulas, as it is and with each DEFINE. Then each PLANT_ that the model names is switched on: some of these searches
must find an error, or the model shows nothing. Needs spin and gcc.
"""

import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path

DEPTH_MAX = 200000
# Searches take a second or two; a model that has outgrown them is to be made smaller.
DEADLINE_S = 60
# The processes run on for ever.
NEVER_REACHED = '"-end-"'


class Verifier:
    """What spin makes of the model with these defines: one program for the formulas, another one for all else."""

    def __init__(self, model, defines, directory):
        self.model, self.defines, self.directory = model, defines, directory
        self.programs = {}

    def search(self, claim):
        """What it printed: of one formula, or with None of everything else."""
        # A formula: looks for cycles, in which every process goes on that can (-f).
        asked = ["-a", "-f", "-N", claim] if claim else []
        # A table of 2^20 entries: the one that is the default takes longer to clear than to fill.
        return self._call(self._program(claim is not None), f"-m{DEPTH_MAX}", "-w20", *asked)

    def _program(self, is_for_claims):
        if is_for_claims not in self.programs:
            program = self.directory / "-".join(["pan", str(is_for_claims), *self.defines])
            defines = [f"-D{define}" for define in self.defines]
            kind = [] if is_for_claims else ["-DNOCLAIM", "-DSAFETY"]
            self._call("spin", "-a", *defines, self.model)
            self._call("gcc", "-w", "-DMEMLIM=2000", *kind, "-o", program, "pan.c")
            self.programs[is_for_claims] = program
        return self.programs[is_for_claims]

    def _call(self, *command):
        done = subprocess.run(
            command, cwd=self.directory, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
            timeout=DEADLINE_S,
        )
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(map(str, command))}:\n{done.stdout}")
        return done.stdout


def errors_in(output):
    return int(re.search(r"errors: (\d+)", output).group(1))


def states_in(output):
    return int(re.search(r"(\d+) states, stored", output).group(1))


def wrongs_in(output):
    """Why this is not a whole search without errors."""
    if errors_in(output) != 0:
        yield f"errors\n{output}"
    if "Search not completed" in output or "max search depth too small" in output:
        yield f"the search is not complete\n{output}"


def unreached_in(output):
    """The statements that no search came to: what they are there for is not checked."""
    processes = output.partition("\nunreached in claim")[0]
    for line in re.findall(r"^\t(\S+:\d+, state \d+, .*)", processes, re.MULTILINE):
        if NEVER_REACHED not in line:
            yield f"never reached: {line}"


def verify(model, also, directory):
    """Yields what is wrong."""
    text = model.read_text()
    claims = [None, *re.findall(r"^ltl (\w+)", text, re.MULTILINE)]
    plants = sorted(set(re.findall(r"#ifn?def (PLANT_\w+)", text)))
    if not plants:
        yield "no bug is planted in it: it may be blind"
    variants = [[], *([define] for define in also)]
    for defines in variants:
        verifier = Verifier(model, defines, directory)
        for claim in claims:
            output = verifier.search(claim)
            name = " ".join([*defines, claim or "assertions"])
            print(f"{name}: {states_in(output)} states, {errors_in(output)} errors", flush=True)
            yield from (f"{name}: {wrong}" for wrong in wrongs_in(output))
            if not defines and claim is None:
                yield from unreached_in(output)
    for plant in plants:
        finder = find_plant([Verifier(model, [plant, *defines], directory) for defines in variants], claims)
        print(f"{plant}: {f'found by {finder}' if finder else 'not found'}", flush=True)
        if finder is None:
            yield f"{plant} is not found"


def find_plant(verifiers, claims):
    """Which search finds it; None: none does."""
    for claim in claims:
        for verifier in verifiers:
            if errors_in(verifier.search(claim)) > 0:
                return claim or "assertions"
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("--also", action="append", default=[], metavar="DEFINE")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="quizrush-model-") as directory:
        wrongs = list(verify(arguments.model.resolve(), arguments.also, Path(directory)))
    for wrong in wrongs:
        print(f"{arguments.model.name}: {wrong}", file=sys.stderr)
    return 1 if wrongs else 0


if __name__ == "__main__":
    sys.exit(main())
