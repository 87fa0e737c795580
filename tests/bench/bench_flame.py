#!/usr/bin/env python3
"""Where the daemon's CPU time goes, in duels and in pings, as flame graphs.

    bench_flame.py [--build DIR] [--quick]

Needs perf (Debian: linux-perf), and to be allowed to use it.
"""

import collections
import subprocess

from bench import Bench
from flame import draw_flame

TEXT = ("Where the CPU time of the daemon goes, all threads: samples of the call stacks (`perf record -e cpu-clock`), each "
        "box as wide as its share, callees above their callers, what is below 0.3 % left out. Blue is the daemon, "
        "green libraries, grey the kernel.")
SAMPLES_PER_S = 499
STACK_BYTES = 16384
SECONDS, SECONDS_QUICK = 8, 2
CONNECTS_PER_S = 2000
PLAYERS, PLAYERS_QUICK = 4000, 200
DUELS = {"match_start_ms": 500, "round_time_ms": 2000, "reveal_time_ms": 250}
THINK = {"think_min_ms": 100, "think_max_ms": 750}
PINGERS, PINGERS_QUICK = 1000, 100
PINGS_PER_S = 10
LEAST_SHARE = 0.01


def read_stacks(text):
    """[((function, kind), ...) from the thread inwards, of each sample]."""
    stacks, frames, thread = [], [], None
    for line in [*text.splitlines(), ""]:
        if not line.strip():
            if thread is not None:
                stacks.append(((thread, "thread"), *reversed(frames)))
            frames, thread = [], None
        elif thread is None:
            thread = line.split()[0]
        else:
            _, rest = line.strip().split(" ", 1)
            function, _, file = rest.rpartition(" (")
            file = file.rstrip(")")
            kind = "kernel" if "kernel" in file or file.startswith("[") else "own" if "quizrushd" in file else "library"
            if function not in ("[unknown]", "") or kind != "kernel":
                name = function.split("+")[0] if function != "[unknown]" else file.rsplit("/", 1)[-1]
                frames.append((name, kind))
    return stacks


def spent_in(stack):
    """What a sample counts as: the system call, or whose function it is."""
    for name, kind in stack:
        if kind == "kernel" and name.startswith(("__x64_sys_", "__arm64_sys_")):
            return "system call: " + name.split("_sys_", 1)[1]
    kinds = {"own": "the daemon's functions", "library": "libraries' functions", "kernel": "the kernel otherwise"}
    return kinds.get(stack[-1][1], "unknown")


class Flame:
    def __init__(self, bench):
        self.bench = bench
        self.seconds = SECONDS_QUICK if bench.is_quick else SECONDS

    def sample(self, server, ramp_s, **load):
        """While it is loaded, once all have come."""
        data = self.bench.output / "perf.data"
        process = self.bench.start_load(server, "--lenient", rate=CONNECTS_PER_S, seconds=ramp_s + self.seconds, **load)
        try:
            record = ["perf", "record", "-q", "-e", "cpu-clock", "-F", str(SAMPLES_PER_S), "--call-graph",
                      f"dwarf,{STACK_BYTES}", "-p", str(server.process.pid), "-o", data, "-D", str(1000 * ramp_s), "--",
                      "sleep", str(ramp_s + self.seconds)]
            subprocess.run(record, check=True, stdout=subprocess.DEVNULL)
            process.communicate()
        finally:
            process.kill()
        script = ["perf", "script", "-i", data, "--no-inline", "-F", "comm,tid,ip,sym,dso"]
        text = subprocess.run(script, check=True, capture_output=True, text=True).stdout
        data.unlink()
        return read_stacks(text)

    def show(self, name, title, stacks):
        file = f"flame-{name}.svg"
        (self.bench.output / file).write_text(draw_flame(f"{title}: {len(stacks)} samples", stacks))
        self.bench.picture(file, title)
        counts = collections.Counter(map(spent_in, stacks))
        self.bench.table(f"{title}, of the CPU time", ["spent in", "share"],
                         [[what, f"{100 * count / len(stacks):.0f} %"] for what, count in counts.most_common()
                          if count >= LEAST_SHARE * len(stacks)])


def main():
    bench = Bench("flame", "Where the time goes", TEXT, runs=1)
    flame = Flame(bench)
    players = PLAYERS_QUICK if bench.is_quick else PLAYERS
    pingers = PINGERS_QUICK if bench.is_quick else PINGERS
    bench.settings(players=players, **THINK, pingers=pingers, pings_per_s=PINGS_PER_S)
    with bench.daemon(max_connections=players + 100, **DUELS) as server:
        flame.show("duels", "Duels", flame.sample(server, players // CONNECTS_PER_S + 1, players=players, **THINK))
    with bench.daemon(max_connections=pingers + 100) as server:
        flame.show("pings", "Pings", flame.sample(server, 1, players=0, idle=pingers, ping_rate=PINGS_PER_S))
    bench.write()


if __name__ == "__main__":
    main()
