#!/usr/bin/env python3
"""What a ping costs, JSON and all, against a raw echo of the same bytes.

    bench_ping.py [--build DIR] [--quick] [--runs N]
"""

from bench import Bench, cpu_between

TEXT = ("What a `ping` and its `pong` cost the daemon, against the same message sent to a raw echo on epoll that unmasks it "
        "and sends it back. Both have the same connections and the same rate. Each is measured over a long and a short "
        "run, and the difference counts, so that connecting is not in it.")

CONNECTIONS, CONNECTIONS_QUICK = 1000, 100
CONNECTS_PER_S = 2000
PINGS_PER_S = 10  # Of each; below the daemon's message_rate.
SHORT_S, LONG_S = 2, 8
SHORT_QUICK_S, LONG_QUICK_S = 1, 2


class Pings:
    def __init__(self, bench):
        self.bench = bench
        self.connections = CONNECTIONS_QUICK if bench.is_quick else CONNECTIONS
        self.seconds = (SHORT_QUICK_S, LONG_QUICK_S) if bench.is_quick else (SHORT_S, LONG_S)

    def run(self, server, seconds, *flags):
        before = server.cpu_ns()
        figures = self.bench.load(server, *flags, players=0, idle=self.connections, ping_rate=PINGS_PER_S,
                                  rate=CONNECTS_PER_S, seconds=seconds)
        return cpu_between(before, server.cpu_ns()), figures["latency_us"]["pong"]

    def cost(self, serve, *flags):
        with serve() as server:
            (short_ns, short), (long_ns, long) = (self.run(server, seconds, *flags) for seconds in self.seconds)
        return {"cpu_us": (long_ns - short_ns) / 1000 / (long["count"] - short["count"]), "pongs": long["count"],
                "p50_ms": long["p50"] / 1000, "p99_ms": long["p99"] / 1000}


def main():
    bench = Bench("ping", "A ping and its pong", TEXT)
    pings = Pings(bench)
    bench.settings(connections=pings.connections, pings_per_s=PINGS_PER_S)
    samples = bench.alternate({
        "daemon": lambda: pings.cost(lambda: bench.daemon(max_connections=pings.connections + 100)),
        "raw echo": lambda: pings.cost(lambda: bench.raw("raw_echo"), "--echo"),
    })
    bench.ratio("CPU of a ping and its pong, daemon / raw echo", samples["daemon"], samples["raw echo"], "cpu_us",
                at_most=2.0)
    bench.table(f"{pings.connections} connections, {PINGS_PER_S} pings a second from each", ["side", "p50", "p99"],
                [[side, *(f"{bench.median(taken, figure):.2f} ms" for figure in ("p50_ms", "p99_ms"))]
                 for side, taken in samples.items()])
    bench.write()


if __name__ == "__main__":
    main()
