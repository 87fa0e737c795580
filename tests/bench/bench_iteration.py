#!/usr/bin/env python3
"""How long the longest call of shard_run takes where very much is due at once, and what arming a timer costs among many.

    bench_iteration.py [--build DIR] [--quick] [--runs N]
"""

import re
import subprocess

from bench import Bench

TEXT = ("The longest of a shard's iterations, without sockets, in CPU time: `tests/bench_iteration`. Of 50,000 matches with "
        "armed timers 5,000 began in the same millisecond, so that their rounds begin and end together; what is due takes "
        "as many calls of `shard_run` as its shares make of it, and between two of them the loop would read. And what it "
        "costs to arm and disarm a timer among the timers of 1,000 matches and of 50,000.")
MATCHES, MATCHES_QUICK = 50000, 5000
AT_ONCE, AT_ONCE_QUICK = 5000, 500
LONGEST_MS_MAX = 2.0
ARMING = re.compile(r"^arming .* ratio ([\d.]+) ", re.M)
LINE = re.compile(r"^([\w ,]+?)\s+([\d.]+) ms the longest of\s+(\d+),\s+([\d.]+) ms in all$", re.M)
LONGEST = re.compile(r"^longest call of shard_run: ([\d.]+) ms$", re.M)


def main():
    bench = Bench("iteration", "A shard's iterations", TEXT)
    program = bench.program("tests/bench_iteration")
    matches, at_once = (MATCHES_QUICK, AT_ONCE_QUICK) if bench.is_quick else (MATCHES, AT_ONCE)

    def measure():
        out = subprocess.run([program, str(matches), str(at_once)], capture_output=True, text=True, check=True).stdout
        events = {name: [float(longest_ms), int(calls), float(all_ms)]
                  for name, longest_ms, calls, all_ms in LINE.findall(out)}
        return {"arming": float(ARMING.search(out)[1]), "longest_ms": float(LONGEST.search(out)[1]), "events": events}

    samples = bench.alternate({"iteration": measure})["iteration"]
    bench.settings(matches=matches, at_once=at_once)
    bench.claim(f"arming and disarming a timer, {matches:,} / 1,000 matches", [sample["arming"] for sample in samples],
                at_most=1.3)
    ends = f"{at_once} rounds end"
    bench.claim(f"the longest iteration, {at_once:,} rounds end at once", [sample["events"][ends][0] for sample in samples],
                at_most=LONGEST_MS_MAX, unit=" ms")
    bench.claim("the longest iteration of all", [sample["longest_ms"] for sample in samples], at_most=LONGEST_MS_MAX,
                unit=" ms")
    rows = []
    for event in samples[0]["events"]:
        taken = [sample["events"][event] for sample in samples]
        rows.append([event, f"{max(longest for longest, _, _ in taken):.2f} ms", taken[0][1],
                     f"{max(total for _, _, total in taken):.1f} ms"])
    bench.table("What is due in one millisecond, the most over the turns", ["what", "longest iteration", "iterations", "all"],
                rows)
    bench.write()


if __name__ == "__main__":
    main()
