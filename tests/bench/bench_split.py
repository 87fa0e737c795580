#!/usr/bin/env python3
"""What an answer costs where the players of a match are on different shards.

    bench_split.py [--build DIR] [--quick] [--runs N]
"""

import contextlib

from bench import Bench
from bench_sides import PLAYERS, PLAYERS_QUICK, THINK, Sides

TEXT = ("What an answer costs the server with two workers, both on its one core, against one worker and the same load; "
        "players, rounds and times are those of the duels, side by side, and connecting is taken off likewise. The kernel "
        "spreads connections over the workers by hash and players are paired whatever their worker, so of the matches "
        "2 p (1 − p) have their players on different shards, where p is one worker's share of the messages: about half. "
        "*All matches split* is derived from that, not measured: one + (two − one) / share. It counts against the split "
        "also what a second worker costs in any case: smaller batches, the lobby and homes on another shard.")
RUNS = 4


def split_share(server):
    """Of the matches: those with players on different shards, as the messages tell."""
    first, second = server.metrics().values("quizrush_messages_in_total")
    return 2 * first * second / (first + second) ** 2


def main():
    bench = Bench("split", "Matches across shards", TEXT, runs=RUNS)
    sides = Sides(bench)
    players = PLAYERS_QUICK if bench.is_quick else PLAYERS
    shares = []

    @contextlib.contextmanager
    def two_workers():
        with sides.daemon(players, workers=2) as server:
            yield server
            shares.append(split_share(server))

    def cost_of_two():
        taken = sides.cost(two_workers, players)
        return {**taken, "split": shares[-1]}

    bench.settings(players=players, **sides.times, **THINK)
    samples = bench.alternate({"one": lambda: sides.cost(lambda: sides.daemon(players), players), "two": cost_of_two})
    one, two = samples["one"], samples["two"]
    all_split = [{"cpu_us": few["cpu_us"] + (many["cpu_us"] - few["cpu_us"]) / many["split"]}
                 for few, many in zip(one, two)]
    bench.ratio("CPU per answer, all matches split (derived) / one worker", all_split, one, "cpu_us", at_most=1.2)
    bench.ratio("CPU per answer, two workers / one worker", two, one, "cpu_us")
    bench.ratio("connecting and hello, CPU, two workers / one worker", two, one, "connect_us")
    bench.claim("share of the matches with players on different shards", [sample["split"] for sample in two])
    bench.table("Answer to receipt", ["workers", "p50", "p99"],
                [[side, *(f"{bench.median(taken, figure):.1f} ms" for figure in ("p50_ms", "p99_ms"))]
                 for side, taken in samples.items()])
    bench.write()


if __name__ == "__main__":
    main()
