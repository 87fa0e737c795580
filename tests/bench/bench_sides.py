#!/usr/bin/env python3
"""Duels: the daemon, the daemon without a store, a peer, and the least that plays them on epoll.

    bench_sides.py [--build DIR] [--quick] [--runs N] [--peer 'COMMAND with {port}']
"""

import math

from bench import Bench, cpu_between, cpu_split

TEXT = ("What an answer costs the server, with all that follows from it: its receipt, what both players are told, its "
        "part of the rounds, of the match and of the result, until that is in the database. Each side has one core and the "
        "same players, rounds and times, and they play one match after another; what it takes to connect them and say hello "
        "is measured apart and taken off. *Raw* sends the frames that "
        "the daemon sends, made from constants, each in a write of its own; *raw, joined* sends what is due to one player in "
        "one turn of its loop in one write. Then more and more players, until the peer's p99 from answer to receipt "
        "passes 50 ms.")

RUNS = 3
PLAYERS, PLAYERS_QUICK = 4000, 200
CONNECTS_PER_S = 2000
SECONDS, SECONDS_QUICK = 14, 1  # After the last one has come: matches of some 6 s, one after another.
TIMES = {"rounds": 7, "start_ms": 500, "round_ms": 2000, "reveal_ms": 250}
TIMES_QUICK = {"rounds": 2, "start_ms": 200, "round_ms": 2000, "reveal_ms": 100}
THINK = {"think_min_ms": 100, "think_max_ms": 750}
# More players who think less, until the peer is too slow.
LADDER = (2000, 3000, 4000, 5000, 6000, 8000)
LADDER_QUICK = (200,)
LADDER_THINK = {"think_min_ms": 20, "think_max_ms": 200}
LADDER_SECONDS, LADDER_SECONDS_QUICK = 8, 1
LADDER_RUNS = 2
TOO_SLOW_MS, HELD_MS = 50, 5


def ms(figures, percentile):
    """From answer to receipt."""
    return figures["latency_us"]["accepted"][percentile] / 1000


class Sides:
    def __init__(self, bench):
        self.bench = bench
        self.times = TIMES_QUICK if bench.is_quick else TIMES

    # --- The sides. ---

    def daemon(self, players, **settings):
        return self.bench.daemon(
            match_rounds=self.times["rounds"], match_start_ms=self.times["start_ms"],
            round_time_ms=self.times["round_ms"], reveal_time_ms=self.times["reveal_ms"], max_connections=players + 100,
            **settings)

    def raw(self, *arguments):
        times = [text for name, value in self.times.items() for text in ("--" + name.replace("_", "-"), value)]
        return self.bench.raw("raw_duel", *times, *arguments)

    def all(self, players):
        """{side: how it is served}; a peer only where there is one."""
        sides = {"daemon": lambda: self.daemon(players), "daemon, no store": lambda: self.daemon(players, store="none"),
                 "raw": self.raw, "raw, joined": lambda: self.raw("--join")}
        if self.bench.arguments.peer:
            sides["peer"] = lambda: self.bench.peer(**self.times)
        return sides

    # --- What is measured. ---

    def play(self, server, **options):
        return self.bench.load(server, "--lenient", rate=CONNECTS_PER_S, emotes=0, **options)

    def cost(self, serve, players):
        """Of an answer, on a fresh server."""
        ramp_s = math.ceil(players / CONNECTS_PER_S)
        seconds = SECONDS_QUICK if self.bench.is_quick else SECONDS
        with serve() as server:
            start = server.cpu_ns()
            self.play(server, players=0, idle=players, seconds=ramp_s)
            connected = server.cpu_ns()
            figures = self.play(server, players=players, seconds=ramp_s + seconds, **THINK)
            server.wait_until_done()
            end = server.cpu_ns()
        answers, connecting = figures["accepted"], cpu_between(start, connected)
        return {"cpu_us": (cpu_between(connected, end) - connecting) / 1000 / answers,
                "connect_us": connecting / 1000 / players,
                "answers": answers,
                "answers_per_s": answers / figures["seconds"],
                "frames": figures["received"] / answers,
                "bytes": figures["received_bytes"] / answers,
                "p50_ms": ms(figures, "p50"), "p99_ms": ms(figures, "p99"), "p999_ms": ms(figures, "p999"),
                "generator": figures["load_cpu_ns"] / 1e9 / figures["seconds"],
                "threads": cpu_split(connected, end)}

    def hold(self, serve, players):
        """How long receipts take while so many play."""
        ramp_s = math.ceil(players / CONNECTS_PER_S)
        seconds = LADDER_SECONDS_QUICK if self.bench.is_quick else LADDER_SECONDS
        with serve() as server:
            start = server.cpu_ns()
            figures = self.play(server, players=players, warmup=ramp_s, seconds=ramp_s + seconds, **LADDER_THINK)
            taken = cpu_between(start, server.cpu_ns())
        return {"players": players, "answers_per_s": figures["accepted"] / figures["seconds"],
                "core": taken / 1e9 / figures["seconds"],
                **{f"{name}_ms": ms(figures, name) for name in ("p50", "p99", "p999")},
                "generator_p99_ms": figures["latency_us"]["lag"]["p99"] / 1000}


def compare(bench, sides):
    players = PLAYERS_QUICK if bench.is_quick else PLAYERS
    bench.settings(players=players, **sides.times, **THINK)
    samples = bench.alternate({side: lambda serve=serve: sides.cost(serve, players)
                               for side, serve in sides.all(players).items()})
    daemon = samples["daemon"]
    if "peer" in samples:
        bench.ratio("CPU per answer, daemon / peer", daemon, samples["peer"], "cpu_us", at_most=0.35)
    bench.ratio("CPU per answer, daemon / raw", daemon, samples["raw"], "cpu_us", at_most=1.5)
    bench.ratio("CPU per answer, daemon / raw, joined", daemon, samples["raw, joined"], "cpu_us")
    bench.ratio("CPU per answer, daemon, no store / daemon", samples["daemon, no store"], daemon, "cpu_us")
    bench.ratio("frames per answer, daemon / raw", daemon, samples["raw"], "frames")
    bench.ratio("bytes per answer, daemon / raw", daemon, samples["raw"], "bytes")
    if "peer" in samples:
        bench.ratio("connecting and hello, CPU, daemon / peer", daemon, samples["peer"], "connect_us")
        for figure, name in (("p99_ms", "p99"), ("p999_ms", "p99.9")):
            bench.ratio(f"answer to receipt, {name}, daemon / peer", daemon, samples["peer"], figure, at_most=0.5)
    base = bench.median(samples["raw"], "cpu_us")
    bench.table(f"{players} players, of the raw program's CPU time per answer",
                ["side", "CPU per answer", "p50", "p99", "p99.9"],
                [[side, f"{bench.median(taken, 'cpu_us') / base:.2f}",
                  *(f"{bench.median(taken, figure):.1f} ms" for figure in ("p50_ms", "p99_ms", "p999_ms"))]
                 for side, taken in samples.items()])
    bench.table("Of the daemon's CPU time, its threads'", ["thread", "share"],
                [[name, f"{100 * share:.0f} %"] for name, share in daemon[-1]["threads"].items()])


def climb(bench, sides):
    """More players at each step, all sides at each, until the peer passes TOO_SLOW_MS."""
    steps = []
    for players in LADDER_QUICK if bench.is_quick else LADDER:
        serve = {side: how for side, how in sides.all(players).items() if side in ("daemon", "peer")}
        steps.append(bench.alternate({side: lambda how=how: sides.hold(how, players)
                                      for side, how in serve.items()}, runs=1 if bench.is_quick else LADDER_RUNS))
        if "peer" not in serve or bench.median(steps[-1]["peer"], "p99_ms") > TOO_SLOW_MS:
            break
    lines = {side: [[bench.median(step[side], figure) for figure in ("answers_per_s", "p99_ms")] for step in steps]
             for side in steps[0]}
    bench.chart("sides-p99.svg", "From answer to receipt, p99", "answers a second", "ms", lines, is_log=True)
    bench.table("More players", ["players", "side", "core", "p50", "p99", "p99.9", "the generator's own lateness, p99"],
                [[at[0]["players"], side, f"{100 * bench.median(at, 'core'):.0f} %",
                  *(f"{bench.median(at, figure):.1f} ms" for figure in ("p50_ms", "p99_ms", "p999_ms", "generator_p99_ms"))]
                 for step in steps for side, at in step.items()])
    last = steps[-1]
    if "peer" in last and bench.median(last["peer"], "p99_ms") > TOO_SLOW_MS:
        bench.claim(f"answer to receipt, p99, where the peer's passes {TOO_SLOW_MS} ms",
                    [at["p99_ms"] for at in last["daemon"]], at_most=HELD_MS, unit=" ms")


def main():
    bench = Bench("sides", "Duels, side by side", TEXT, runs=RUNS)
    sides = Sides(bench)
    compare(bench, sides)
    climb(bench, sides)
    bench.write()


if __name__ == "__main__":
    main()
