#!/usr/bin/env python3
"""What a join costs among 100,000 tickets against one among 1,000.

    bench_matchmaker.py [--build DIR] [--quick] [--runs N]
"""

import re
import subprocess

from bench import Bench

TEXT = ("What a join costs among 100,000 tickets against one among 1,000, without sockets, in queues of several shapes: "
        "`tests/bench_matchmaker`, a turn of it 2,001 batches of joins. Of each turn the median counts.")
REPETITIONS, REPETITIONS_QUICK = 2001, 21
LINE = re.compile(r"^(.+?)\s+\d+ ns\s+\d+ ns\s+([\d.]+)  \(", re.M)


def main():
    bench = Bench("matchmaker", "The matchmaker", TEXT)
    program = bench.program("tests/bench_matchmaker")
    repetitions = REPETITIONS_QUICK if bench.is_quick else REPETITIONS

    def measure():
        out = subprocess.run([program, str(repetitions)], capture_output=True, text=True, check=True).stdout
        return {name: float(ratio) for name, ratio in LINE.findall(out)}

    samples = bench.alternate({"matchmaker": measure})["matchmaker"]
    for layout in samples[0]:
        bench.claim(f"a join, 100,000 / 1,000 tickets: {layout}", [sample[layout] for sample in samples], at_most=2.0)
    bench.write()


if __name__ == "__main__":
    main()
