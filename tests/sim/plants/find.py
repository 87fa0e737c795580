#!/usr/bin/env python3
"""Runs the simulator with each of the known bugs in it, and expects that it finds them.

A bug is found when the standard run fails by a rule that the head of its patch names: an invariant's, or the claim of
an assertion in the server's own code. Prints a row for each: how many worlds it took, how long, and by which rule.
"""
import argparse
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys
import time

PLANTS = pathlib.Path(__file__).resolve().parent
FIRST_SEED = 1
SECONDS_MAX = 120
FAILURE = re.compile(r"^seed (\d+), step \d+: (.*)$", re.MULTILINE)


class Plant:
    def __init__(self, path):
        self.name = path.stem
        head = path.read_text(encoding="utf-8").split("\n\n", 1)[0]
        bug, *rules = re.split(r"^Rule: ", head, flags=re.MULTILINE)
        self.bug = " ".join(bug.removeprefix("Bug: ").split())
        self.rules = tuple(rule.strip() for rule in rules)
        self.worlds = None
        self.failure = ""
        self.seconds = 0.0

    def look_for(self, programs, arguments):
        """One run, which ends with the first failure."""
        began = time.monotonic()
        command = [programs / f"quizrush-sim-plant-{self.name}", *arguments]
        try:
            run = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                 errors="replace", timeout=SECONDS_MAX, check=False)
        except FileNotFoundError:
            self.failure = "no program: it is not in CMakeLists.txt"
            return self
        except subprocess.TimeoutExpired:
            self.failure = f"nothing in {SECONDS_MAX} s"
            return self
        self.seconds = time.monotonic() - began
        failure = FAILURE.search(run.stdout)
        if failure is not None and run.returncode == 1:
            self.worlds = int(failure[1]) - FIRST_SEED + 1
            self.failure = failure[2]
        else:
            self.failure = f"nothing: exit status {run.returncode}"
        return self

    def is_found(self):
        return self.worlds is not None and self.failure.startswith(self.rules)

    def row(self):
        rule = next((rule for rule in self.rules if self.failure.startswith(rule)), self.failure)
        return f"{self.name:28} {self.worlds or '-':>6} {self.seconds:5.1f} s  {rule}"

    def docs_row(self):
        return f"| `{self.name}` | {self.bug} | {self.rules[0]} | {self.worlds} |"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--programs", type=pathlib.Path, required=True, help="where quizrush-sim-plant-NAME are")
    parser.add_argument("--worlds", type=int, help="look into so many; otherwise those of the standard run")
    parser.add_argument("--docs", action="store_true", help="print the table of docs/simulator.md")
    parser.add_argument("names", nargs="*", help="of the bugs; all of them where none is given")
    options = parser.parse_args()
    plants = [Plant(path) for path in sorted(PLANTS.glob("*.patch"))]
    if options.names:
        plants = [plant for plant in plants if plant.name in options.names]
    arguments = ["--standard"]
    if options.worlds is not None:
        arguments = ["--seed", str(FIRST_SEED), "--count", str(options.worlds)]
    began = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for plant in pool.map(lambda plant: plant.look_for(options.programs, arguments), plants):
            print(plant.docs_row() if options.docs else plant.row(), flush=True)
    missed = [plant for plant in plants if not plant.is_found()]
    print(f"{len(plants) - len(missed)} of {len(plants)} bugs found in {time.monotonic() - began:.1f} s",
          file=sys.stderr)
    for plant in missed:
        print(f"\nNot found as it should be: {plant.name}\n{plant.bug}\nexpected: {' or '.join(plant.rules)}\n"
              f"got: {plant.failure}", file=sys.stderr)
    return 1 if missed or not plants else 0


if __name__ == "__main__":
    sys.exit(main())
