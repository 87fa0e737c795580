#!/usr/bin/env python3
"""How the daemon serves those who play while others attack it.

    bench_attacks.py [--build DIR] [--quick] [--runs N] [--only KIND]
"""

import contextlib
import json
import re
import subprocess
import time

from bench import LOAD_CORE, Bench, let_pass, pinned

TEXT = ("A thousand players play duels while others attack: half-open connections, players who read one byte a second, "
        "clients that send 4,096 bytes of garbage as fast as they can, and idle players who are all cut off and all come "
        "back. In the calm run the same attackers are aimed at a sink, so that the machine has the same load. Attackers "
        "run at SCHED_IDLE, beside the honest players on the other core. What counts is the daemon's own time from the "
        "arrival of a message to the write of what it caused.")

PLAYERS = 1000
SETTLE_S, ATTACK_S = 5, 12
SETTLE_QUICK_S, ATTACK_QUICK_S = 3, 4
COUNTS = {"half-open": 9000, "slow": 1000, "garbage": 1000, "storm": 10000}
# Slow readers get more than their sockets hold within the run only where they may ask for as much.
SETTINGS = {"slow": {"message_rate": 200, "message_burst": 400}}
FLAGS = {"slow": ["-r", "100"]}
ARRIVAL = "quizrush_arrival_to_write_seconds"
LOOK_AGAIN_S = 0.25
LATER_MS_MAX, TIMES_MAX = 5, 2


def buckets(metrics):
    """{upper bound in s: how many so far}."""
    found = {}
    for name, labels, value in metrics.samples:
        if name == f"{ARRIVAL}_bucket":
            bound = float(labels["le"])
            found[bound] = found.get(bound, 0) + value
    return dict(sorted(found.items()))


def percentile_ms(before, after, share):
    """The bound of the bucket in which it lies, of what came between."""
    counts = {bound: after[bound] - before.get(bound, 0) for bound in after}
    total = max(counts.values())
    assert total > 0, "nothing was answered meanwhile"
    return 1000 * next(bound for bound, count in counts.items() if count >= share * total)


def bound_mb(server):
    return int(re.search(r"memory_bound_mb=(\d+)", server.log()).group(1))


def patient_metrics(server):
    """An attack may have the operators' port as well, for a moment."""
    for _ in range(20):
        with contextlib.suppress(OSError):
            return server.metrics()
        let_pass(LOOK_AGAIN_S)
    raise AssertionError("the operators' port is out of reach")


class Attack:
    def __init__(self, bench, kind):
        self.bench, self.kind = bench, kind
        divisor = 10 if bench.is_quick else 1
        self.count, self.players = COUNTS[kind] // divisor, PLAYERS // divisor
        self.settle_s, self.attack_s = (SETTLE_QUICK_S, ATTACK_QUICK_S) if bench.is_quick else (SETTLE_S, ATTACK_S)

    def start(self, target):
        program = str(self.bench.program("tests/attack"))
        with pinned(LOAD_CORE):
            return subprocess.Popen([program, "-k", self.kind, "-n", str(self.count), *FLAGS.get(self.kind, []), *target],
                                    stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def run(self, is_calm):
        settings = {"max_connections": self.count + self.players + 500, "match_rounds": 3, "log_level": "info",
                    **SETTINGS.get(self.kind, {})}
        with self.bench.daemon(**settings) as server:
            load = self.bench.start_load(server, players=self.players, rate=1000,
                                         seconds=self.settle_s + self.attack_s)
            attack = self.start(["-s"] if is_calm else ["-p", str(server.port)])
            let_pass(self.settle_s)
            if self.kind == "storm":
                assert attack.stdout.readline() == "ready\n"
            before = buckets(patient_metrics(server))
            if self.kind == "storm":
                attack.stdin.write("c")
                attack.stdin.flush()
            memory = self.watch(server)
            after = buckets(patient_metrics(server))
            told = attack.communicate()[0].splitlines()[-1]
            out, err = load.communicate()
            figures = json.loads(out)
            print(f"{self.kind}: {told}", flush=True)
            assert load.returncode == 0, f"the honest players saw errors: {figures['violations']} violations, {err}"
            return {"p99_ms": percentile_ms(before, after, 0.99), "p50_ms": percentile_ms(before, after, 0.5),
                    "memory_mb": memory / 1e6, "bound_mb": bound_mb(server), "errors": figures["errors"],
                    "violations": figures["violations"]}

    def watch(self, server):
        """The most memory while the attack lasts."""
        ends_at = time.monotonic() + self.attack_s
        most = 0
        while time.monotonic() < ends_at:
            most = max(most, server.memory_bytes())
            let_pass(LOOK_AGAIN_S)
        return most


def main():
    bench = Bench("attacks", "Under attack", TEXT, runs=3,
                  add_arguments=lambda parser: parser.add_argument("--only", choices=COUNTS))
    bench.settings(players=PLAYERS, **{f"attackers_{kind}": count for kind, count in COUNTS.items()})
    rows = []
    for kind in [bench.arguments.only] if bench.arguments.only else COUNTS:
        attack = Attack(bench, kind)
        samples = bench.alternate({f"{kind}, calm": lambda: attack.run(True), kind: lambda: attack.run(False)})
        calm, attacked = samples[f"{kind}, calm"], samples[kind]
        later = [one["p99_ms"] - max((TIMES_MAX - 1) * other["p99_ms"], LATER_MS_MAX) - other["p99_ms"]
                 for one, other in zip(attacked, calm)]
        bench.claim(f"{kind}: p99 of arrival to write above what it may be", later, at_most=0, unit=" ms")
        bench.claim(f"{kind}: memory, as a part of the bound told at start",
                    [one["memory_mb"] / one["bound_mb"] for one in attacked], at_most=1)
        rows.append([f"{attack.count} {kind}", *(f"{bench.median(side, figure):.2f} ms" for side in (calm, attacked)
                                               for figure in ("p50_ms", "p99_ms")),
                     str(sum(one["errors"] + one["violations"] for one in attacked))])
    bench.table("From arrival to write, of a thousand who play",
                ["attackers", "calm p50", "calm p99", "attacked p50", "attacked p99", "errors seen"], rows)
    bench.write()


if __name__ == "__main__":
    main()
