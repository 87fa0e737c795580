#!/usr/bin/env python3
"""How many answers a second two shards on two threads take, against one shard on one.

    bench_shards.py [--build DIR] [--quick] [--runs N]
"""

import re
import subprocess

from bench import Bench

TEXT = ("Answers a second of two shards, each on a thread with a core of its own, against one shard on one thread, without "
        "sockets and through the real mailboxes: `tests/bench_shards`. Each thread reads messages and runs its shard, and "
        "does not sleep; seconds are those of its CPU time, so that what else the machine does counts little. What adding a "
        "core brings is the ratio where both players of a match are on one shard; where each match has a player on either, "
        "all that is said to one of them crosses.")
MEASURE_MS, MEASURE_QUICK_MS = 1500, 800
ONE, WHOLE, SPLIT = "one shard", "two shards, each match on one", "two shards, each match on both"
LINE = re.compile(r"^(\S.*?)\s+(\d+) answers a second", re.M)


def main():
    bench = Bench("shards", "Two shards", TEXT)
    program = bench.program("tests/bench_shards")
    ms = MEASURE_QUICK_MS if bench.is_quick else MEASURE_MS

    def measure():
        out = subprocess.run([program, str(ms), "1"], capture_output=True, text=True, check=True).stdout
        return {layout: int(rate) for layout, rate in LINE.findall(out)}

    samples = bench.alternate({"shards": measure})["shards"]
    for layout, at_least in ((WHOLE, 1.7), (SPLIT, None)):
        bench.claim(f"answers a second, {layout} / {ONE}", [sample[layout] / sample[ONE] for sample in samples],
                    at_least=at_least)
    bench.write()


if __name__ == "__main__":
    main()
