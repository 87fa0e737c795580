"""The frame of the benchmarks: servers pinned to a core, their CPU time and memory, sides in turn, ratios with spread.

A bench is tests/bench/bench_NAME.py, runs alone, and writes BUILD/bench/NAME.json, from which scripts/bench makes its
section of docs/benchmarks.md without knowing it:

    bench = Bench("name", "Its title", "What is measured, in a paragraph.")
    with bench.daemon(max_connections=5000) as server:
        before = server.cpu_ns()
        figures = bench.load(server, players=4000, seconds=10)
        per_answer = cpu_between(before, server.cpu_ns()) / figures["accepted"]
    samples = bench.alternate({"ours": measure_ours, "theirs": measure_theirs})  # Each returns {figure: number}.
    bench.ratio("CPU per answer, ours / theirs", samples["ours"], samples["theirs"], "cpu_us", at_most=0.35)
    bench.table("Title", ["column", ...], [[cell, ...], ...])
    bench.write()

The server has one core and whatever loads it the other. CPU time is what the scheduler counts in nanoseconds, of all
threads; it depends little on what else the machine does, wall time a lot.
"""

import argparse
import contextlib
import json
import os
import select
import shlex
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "integration"))

from daemon import LOOPBACK, Daemon, Port, wait_until  # noqa: E402 pylint: disable=wrong-import-position

CORES = sorted(os.sched_getaffinity(0))
SERVER_CORE, LOAD_CORE = CORES[0], CORES[-1]
RUNS, RUNS_QUICK = 5, 1
READY_DEADLINE_S = 20
STOP_DEADLINE_S = 30
LOAD_DEADLINE_S = 300


@contextlib.contextmanager
def pinned(core):
    """What is started within has only this core."""
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, CORES)


# --- What /proc says of a process. ---


def cpu_ns(pid):
    """{thread's name: ns}; threads of the same name together."""
    taken = {}
    for task in Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # A thread that has just ended.
            name = (task / "comm").read_text().strip()
            taken[name] = taken.get(name, 0) + int((task / "schedstat").read_text().split()[0])
    return taken


def cpu_between(before, after):
    """ns of all threads."""
    return sum(after.values()) - sum(before.values())


def cpu_split(before, after):
    """{thread's name: its share of all}."""
    total = max(1, cpu_between(before, after))
    return {name: (taken - before.get(name, 0)) / total for name, taken in sorted(after.items())}


def memory_bytes(pid):
    """What is resident, and the page tables for it."""
    fields = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return sum(int(fields[name].split()[0]) * 1024 for name in ("VmRSS", "VmPTE"))


class Measured:
    """Of whatever has a `process`."""

    def cpu_ns(self):
        return cpu_ns(self.process.pid)

    def memory_bytes(self):
        return memory_bytes(self.process.pid)

    def wait_until_done(self):
        """With what follows from its clients' messages and is not for them to see."""


class PinnedDaemon(Measured, Daemon):
    """quizrushd with one worker, everything on, on the server's core."""

    def __init__(self, **settings):
        super().__init__(**{"workers": 1, "log_level": "warning", **settings})
        self._has_store = settings.get("store") != "none"

    def wait_until_done(self):
        if self._has_store:
            self.wait_until_stored()

    def _run(self):
        with pinned(SERVER_CORE):
            return super()._run()


class Command(Measured):
    """Any other server, from a command line in which {port} stands for the port, on the server's core."""

    def __init__(self, command, **values):
        self.command, self.values = command, values
        self.process, self._port, self._log = None, None, None

    def __enter__(self):
        self._port = Port()
        arguments = shlex.split(self.command.format(port=self.port, **self.values))
        self._log = tempfile.TemporaryFile()
        with pinned(SERVER_CORE):
            self.process = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log)
        try:
            wait_until(self._is_ready, READY_DEADLINE_S, f"{arguments[0]} takes connections")
        except BaseException:
            self.__exit__()
            raise
        return self

    @property
    def port(self):
        return self._port.number

    def _is_ready(self):
        assert self.process.poll() is None, f"{self.command} ended with {self.process.returncode}: {self.log()}"
        with contextlib.suppress(OSError):
            socket.create_connection((LOOPBACK, self.port), timeout=1).close()
            return True
        return False

    def log(self):
        self._log.seek(0)
        return self._log.read().decode(errors="replace")

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.terminate()
        try:
            self.process.wait(STOP_DEADLINE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._log.close()
        self._port.release()


def let_pass(seconds):
    """A span over which something is measured; what is waited for has wait_until."""
    select.select([], [], [], seconds)


# --- Figures. ---


def spread(values):
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}


class Bench:
    """One bench: its arguments, its servers and its report."""

    def __init__(self, name, title, text, runs=RUNS, add_arguments=None):
        parser = argparse.ArgumentParser(description=text)
        parser.add_argument("--build", type=Path, default=ROOT / "build" / "release")
        parser.add_argument("--output", type=Path, help="a directory; BUILD/bench unless said otherwise")
        parser.add_argument("--quick", action="store_true", help="some twenty seconds: shows that it works, no figures")
        parser.add_argument("--runs", type=int, help="how often each side has its turn")
        parser.add_argument("--peer", help="another server that speaks the protocol: a command line with {port}, and "
                            "where it takes them {rounds}, {round_ms}, {start_ms}, {reveal_ms}")
        if add_arguments is not None:
            add_arguments(parser)
        self.arguments = parser.parse_args()
        self.is_quick = self.arguments.quick
        self.runs = self.arguments.runs or (RUNS_QUICK if self.is_quick else runs)
        self.output = self.arguments.output or self.arguments.build / "bench"
        self.output.mkdir(parents=True, exist_ok=True)
        self.name = name
        self.report = {"name": name, "title": title, "text": text, "is_quick": self.is_quick, "runs": self.runs,
                       "settings": {}, "ratios": [], "tables": [], "charts": [],
                       "pictures": [], "samples": {}}
        os.environ["QUIZRUSHD"] = str(self.program("quizrushd"))
        os.environ["QUIZRUSH_LOAD"] = str(self.program("quizrush-load"))

    def program(self, path):
        """Of the build directory."""
        return self.arguments.build.resolve() / path

    # --- What is measured. ---

    @staticmethod
    def daemon(**settings):
        """with bench.daemon(key=value, ...) as server."""
        return PinnedDaemon(**settings)

    def raw(self, name, *arguments):
        """with bench.raw("raw_echo") as server: a program of tests/bench that takes the port first."""
        return Command(shlex.join([str(self.program(Path("tests") / name)), "{port}", *map(str, arguments)]))

    def peer(self, **values):
        """with bench.peer(rounds=7, ...) as server: what --peer says; None without it."""
        return Command(self.arguments.peer, **values) if self.arguments.peer else None

    def start_load(self, server, *flags, **options):
        """quizrush-load as a process on the other core: think_min_ms=5 is --think-min-ms 5."""
        arguments = [str(self.program("quizrush-load")), "--port", str(server.port), "--json", *flags]
        for name, value in options.items():
            arguments += ["--" + name.replace("_", "-"), str(value)]
        with pinned(LOAD_CORE):
            return subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                    text=True)

    def load(self, server, *flags, may_fail=False, **options):
        """Runs it to its end; its figures, and its own CPU time as `load_cpu_ns`."""
        before = os.times()
        process = self.start_load(server, *flags, **options)
        out, err = process.communicate(timeout=LOAD_DEADLINE_S)
        after = os.times()
        assert out and (may_fail or process.returncode == 0), f"quizrush-load ended with {process.returncode}: {out}{err}"
        figures = json.loads(out)
        taken = after.children_user - before.children_user + after.children_system - before.children_system
        return {**figures, "load_cpu_ns": int(taken * 1e9)}

    def alternate(self, sides, runs=None):
        """{side: [what its function returned, a dictionary of figures, each time]}, the sides taking turns."""
        samples = {side: [] for side in sides}
        for turn in range(runs or self.runs):
            for side, measure in sides.items():
                began = time.monotonic()
                samples[side].append(measure())
                figures = ", ".join(f"{name} {value:.4g}" for name, value in samples[side][-1].items()
                                    if isinstance(value, (int, float)))
                print(f"{self.name} {turn + 1}: {side}: {figures} ({time.monotonic() - began:.0f} s)", flush=True)
        for side, values in samples.items():
            self.report["samples"].setdefault(side, []).extend(values)
        return samples

    # --- What is reported. ---

    def ratio(self, what, above, below, figure, at_most=None, at_least=None):
        """Of two sides' samples, turn by turn: what was measured side by side is compared."""
        ratios = [one[figure] / other[figure] for one, other in zip(above, below) if other[figure] > 0]
        assert ratios, f"{what}: nothing to compare"
        self.claim(what, ratios, at_most, at_least)

    def claim(self, what, values, at_most=None, at_least=None, unit=""):
        """A figure with its spread, and what it is to be."""
        entry = {"what": what, **spread(values), "unit": unit, "at_most": at_most, "at_least": at_least}
        self.report["ratios"].append(entry)
        bounds = [f"at most {at_most}{unit}"] if at_most is not None else []
        bounds += [f"at least {at_least}{unit}"] if at_least is not None else []
        print(f"{self.name}: {what}: {entry['median']:.3g}{unit} ({entry['min']:.3g} to {entry['max']:.3g})",
              *bounds, sep=", ", flush=True)

    @staticmethod
    def median(samples, figure):
        return statistics.median(sample[figure] for sample in samples)

    def table(self, title, columns, rows):
        self.report["tables"].append({"title": title, "columns": columns, "rows": rows})

    def chart(self, file, title, x, y, series, is_log=False):
        """Lines: series are {name: [[x, y], ...]}; the picture is docs/benchmarks/FILE."""
        self.report["charts"].append({"file": file, "title": title, "x": x, "y": y, "series": series, "is_log": is_log})

    def picture(self, file, title):
        """One that the bench has drawn itself, into `output`."""
        self.report["pictures"].append({"file": file, "title": title})

    def settings(self, **settings):
        self.report["settings"].update(settings)

    def write(self):
        path = self.output / f"{self.name}.json"
        path.write_text(json.dumps(self.report, indent=1) + "\n")
        print(f"{self.name}: {path}", flush=True)
