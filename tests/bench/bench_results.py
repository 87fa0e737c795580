#!/usr/bin/env python3
"""How many results a second reach the databases by way of the journal, against one transaction each.

    bench_results.py [--build DIR] [--quick] [--runs N]

On the disk of the directory for temporary files (TMPDIR), which scripts/bench-results is given.
"""

import re
import shutil
import subprocess
import tempfile

from bench import ROOT, Bench

TEXT = ("Results a second that reach the database, each with its match, two players whose ratings it changes, seven rounds "
        "and 14 answers, everything synced (SQLite `synchronous=FULL`; PostgreSQL `fsync` and `synchronous_commit` on; "
        "the journal by `fdatasync`). *One by one* is the same store without the journal, a transaction each and the "
        "next when that is durable. *Stored* are in the database by way of the journal, *answered* are durable in the "
        "journal, which is what `end` waits for; the table has that wait while results come as fast as the database "
        "takes them. What the journal and batches save is waiting for the disk: where a sync costs next to nothing both "
        "ways are bound by the same work on the same rows. With 3 ms each sync takes so much longer, as an ordinary "
        "disk's does. `scripts/bench-results` measures another disk.")
RUNS = 2
RESULTS, RESULTS_QUICK = 10000, 500
SYNCS_MS, SYNCS_QUICK_MS = (0, 3), (0,)
NUMBERS = re.compile(r"^(sqlite|postgresql)\S*\s+(\d+)\s+(\d+)\s+([\d.]+)\s+(\d+)\s+([\d.]+)\s+([\d.]+) ms\s+([\d.]+) ms", re.M)


def measure(bench, store, sync_ms):
    command = [ROOT / "scripts" / "bench-results", "--build", bench.arguments.build, "--directory", tempfile.gettempdir(),
               "--results", str(RESULTS_QUICK if bench.is_quick else RESULTS), "--sync-ms", str(sync_ms), store]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = NUMBERS.search(out)
    assert found, out
    return {"stored": float(found[4]), "answered": float(found[6]), "p50_ms": float(found[7]), "p99_ms": float(found[8])}


def main():
    bench = Bench("results", "Results", TEXT, runs=RUNS)
    stores = {"SQLite": "sqlite"}
    if shutil.which("pg_config") and not bench.is_quick:
        stores["PostgreSQL"] = "postgresql"
    sides = {f"{name}, syncs {'as they are' if sync_ms == 0 else f'{sync_ms} ms longer'}": (store, sync_ms)
             for sync_ms in (SYNCS_QUICK_MS if bench.is_quick else SYNCS_MS) for name, store in stores.items()}
    samples = bench.alternate({side: lambda how=how: measure(bench, *how) for side, how in sides.items()})
    for side, taken in samples.items():
        for figure in ("stored", "answered"):
            bench.claim(f"{figure} / one by one, {side}", [sample[figure] for sample in taken])
    bench.table("How long `end` waits for its result", ["store", "p50", "p99"],
                [[side, *(f"{bench.median(taken, figure):.1f} ms" for figure in ("p50_ms", "p99_ms"))]
                 for side, taken in samples.items()])
    bench.write()


if __name__ == "__main__":
    main()
