#!/usr/bin/env python3
"""Whether a message, a connect and a close cost the same among 15,000 players as among 1,000.

    bench_scale.py [--build DIR] [--quick] [--runs N]
"""

import json
import subprocess
import time

from bench import LOAD_CORE, Bench, cpu_between, let_pass, pinned

TEXT = ("What a connect with its `hello`, a ping, and the end of a connection cost the daemon where 1,000 idle players are "
        "connected and where 15,000 are, with the same limits set; and the same of a raw echo on epoll, for what the kernel "
        "adds. Then all idle players are cut off at once, half of them by a reset, while others send pings: the longest "
        "that one of these waited for its pong is what everybody may have waited.")

FEW, MANY = 1000, 15000
MANY_QUICK = 3000
PINGERS, PINGS_PER_S = 200, 10
STEADY_S, CUT_S = 3, 4
BESIDE = 500
QUIET_S = 0.5
DEADLINE_S = 60


class Crowd:
    """Idle players, by tests/attack."""

    def __init__(self, bench, server, count, *flags):
        with pinned(LOAD_CORE):
            self.process = subprocess.Popen(
                [str(bench.program("tests/attack")), "-k", "storm", "-n", str(count), "-p", str(server.port), *flags],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def order(self, letter):
        self.process.stdin.write(letter)
        self.process.stdin.flush()

    def await_ready(self):
        assert self.process.stdout.readline() == "ready\n"

    def end(self):
        self.process.communicate()


def when_quiet(server):
    """The CPU time, once nothing is taken any more."""
    deadline = time.monotonic() + DEADLINE_S
    before = server.cpu_ns()
    while time.monotonic() < deadline:
        let_pass(QUIET_S)
        now = server.cpu_ns()
        if cpu_between(before, now) < QUIET_S * 1e9 / 100:
            return now
        before = now
    raise AssertionError("it does not come to rest")


class Scale:
    def __init__(self, bench):
        self.bench = bench
        self.many = MANY_QUICK if bench.is_quick else MANY

    def cost(self, serve, count, *flags):
        """CPU in microseconds of each, of `count` players."""
        with serve() as server:
            began = when_quiet(server)
            crowd = Crowd(self.bench, server, count, *flags)
            crowd.await_ready()
            connected = when_quiet(server)
            pings_us, _ = self.ping(server, STEADY_S, lambda: None, *(["--echo"] if flags else []))
            before = when_quiet(server)
            crowd.order("o")
            closed = when_quiet(server)
            crowd.order("b")
            crowd.await_ready()
            _, longest_ms = self.ping(server, CUT_S, lambda: crowd.order("o"), *(["--echo"] if flags else []))
            crowd.end()
            return {"connect_us": cpu_between(began, connected) / count / 1000,
                    "close_us": cpu_between(before, closed) / count / 1000, "ping_us": pings_us,
                    "longest_ms": longest_ms}

    def ping(self, server, seconds, meanwhile, *flags):
        """(CPU of a ping and its pong in microseconds, the longest that one waited in ms) beside whatever happens."""
        load = self.bench.start_load(server, *flags, players=0, idle=PINGERS, ping_rate=PINGS_PER_S, rate=1000,
                                     warmup=1, seconds=seconds + 2)
        let_pass(1.5)
        before, began = server.cpu_ns(), time.monotonic()
        meanwhile()
        let_pass(seconds)
        taken, took = cpu_between(before, server.cpu_ns()), time.monotonic() - began
        out, err = load.communicate()
        assert load.returncode == 0, out + err
        return taken / 1000 / (PINGERS * PINGS_PER_S * took), json.loads(out)["latency_us"]["pong"]["max"] / 1000


def main():
    bench = Bench("scale", "Many connections", TEXT, runs=3)
    scale = Scale(bench)
    limits = {"max_connections": scale.many + BESIDE}
    bench.settings(few=FEW, many=scale.many, pingers=PINGERS, pings_per_s=PINGS_PER_S, **limits)
    samples = bench.alternate({
        "few": lambda: scale.cost(lambda: bench.daemon(**limits), FEW),
        "many": lambda: scale.cost(lambda: bench.daemon(**limits), scale.many),
        "few, raw echo": lambda: scale.cost(lambda: bench.raw("raw_echo"), FEW, "-e"),
        "many, raw echo": lambda: scale.cost(lambda: bench.raw("raw_echo"), scale.many, "-e"),
    })
    for what in ("connect", "ping", "close"):
        figure = f"{what}_us"
        raw = [one[figure] / other[figure] for one, other in zip(samples["many, raw echo"], samples["few, raw echo"])]
        ours = [one[figure] / other[figure] for one, other in zip(samples["many"], samples["few"])]
        bench.claim(f"CPU of a {what}, {scale.many} players / {FEW}, beyond the raw echo's",
                    [one / max(1, other) for one, other in zip(ours, raw)], at_most=1.3)
    bench.claim("the longest wait for a pong while all are cut off", [one["longest_ms"] for one in samples["many"]],
                at_most=60, unit=" ms")
    bench.table("CPU of each", ["side", "connect", "ping and pong", "close", "longest wait"],
                [[side, *(f"{bench.median(taken, figure):.1f} us" for figure in ("connect_us", "ping_us", "close_us")),
                  f"{bench.median(taken, 'longest_ms'):.0f} ms"] for side, taken in samples.items()])
    bench.write()


if __name__ == "__main__":
    main()
