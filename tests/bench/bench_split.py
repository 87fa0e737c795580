#!/usr/bin/env python3
"""What an answer costs where the players of a match are on different shards.

    bench_split.py [--build DIR] [--quick] [--runs N]
"""

import contextlib

from bench import Bench
from bench_sides import PLAYERS, PLAYERS_QUICK, THINK, Sides

TEXT = ("What an answer costs the server with two workers, both on its one core, against one worker and the same load; "
        "rounds and times are those of the duels, side by side, and connecting is taken off likewise. The first load is theirs "
        "too; at the second, which the table shows to be twice the first's, a turn has more messages to share its cost. The "
        "kernel "
        "spreads connections over the workers by hash and players are paired whatever their worker, so of the matches "
        "2 p (1 − p) have their players on different shards, where p is one worker's share of the messages: about half. "
        "*All matches split* is derived from that, not measured: one + (two − one) / share. It counts against the split "
        "also what a second worker costs in any case: smaller batches, the lobby and homes on another shard.")
RUNS = 4
LOADS, LOADS_QUICK = (PLAYERS, 10000), (PLAYERS_QUICK,)


def split_share(server):
    """Of the matches: those with players on different shards, as the messages tell."""
    first, second = server.metrics().values("quizrush_messages_in_total")
    return 2 * first * second / (first + second) ** 2


def cost_of_two(sides, players):
    shares = []

    @contextlib.contextmanager
    def serve():
        with sides.daemon(players, workers=2) as server:
            yield server
            shares.append(split_share(server))

    taken = sides.cost(serve, players)
    return {**taken, "split": shares[-1]}


def compare(bench, sides, players):
    """Rows of the table."""
    samples = bench.alternate({f"one, {players} players": lambda: sides.cost(lambda: sides.daemon(players), players),
                               f"two, {players} players": lambda: cost_of_two(sides, players)})
    one, two = samples.values()
    all_split = [{"cpu_us": few["cpu_us"] + (many["cpu_us"] - few["cpu_us"]) / many["split"]}
                 for few, many in zip(one, two)]
    bench.ratio(f"{players} players: CPU per answer, all matches split (derived) / one worker", all_split, one, "cpu_us",
                at_most=1.2)
    bench.ratio(f"{players} players: CPU per answer, two workers / one worker", two, one, "cpu_us")
    bench.ratio(f"{players} players: connecting and hello, CPU, two workers / one worker", two, one, "connect_us")
    bench.claim(f"{players} players: share of the matches with players on different shards",
                [sample["split"] for sample in two])
    return [[players, workers, f"{100 * bench.median(taken, 'cpu_us') * bench.median(taken, 'answers_per_s') / 1e6:.0f} %",
             *(f"{bench.median(taken, figure):.1f} ms" for figure in ("p50_ms", "p99_ms"))]
            for workers, taken in ((1, one), (2, two))]


def main():
    bench = Bench("split", "Matches across shards", TEXT, runs=RUNS)
    sides = Sides(bench)
    bench.settings(**sides.times, **THINK)
    rows = [row for players in (LOADS_QUICK if bench.is_quick else LOADS) for row in compare(bench, sides, players)]
    bench.table("Answer to receipt", ["players", "workers", "core", "p50", "p99"], rows)
    bench.write()


if __name__ == "__main__":
    main()
