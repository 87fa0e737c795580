"""What can happen to a PostgreSQL server, each while players play, and what must be so all the same.

A fault is a function of the `Stage`: it begins, lasts as long as it yields, and is over. play() runs quizrush-load
against a daemon on that stage, in the calm or with a fault, and returns what was seen.
"""

import json
import signal
import subprocess
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field

from daemon import LOOPBACK, PATIENCE, Daemon, load_binary, run_once, wait_until
from postgres import Relay, Server

CONNECTIONS_MAX = 30
SMALL_DISK_MB = 48
FILL_BYTES = 1 << 16
RESETS = 10
RESET_EVERY_S = 0.5
CROWDED_RESETS = 5
WELL_AGAIN_S = 60
LOOK_EVERY_S = 0.25
SETTINGS = {
    "workers": 2,
    "match_rounds": 3,
    "match_start_ms": 100,
    "round_time_ms": 1000,
    "reveal_time_ms": 100,
    "ended_keep_ms": 1000,
}


class Stage:
    """A server with our schema, a relay before it, and for the last fault a disk of its own that is small."""

    def __init__(self, has_small_disk=False, is_migrated=True):
        self.server = Server(connections_max=CONNECTIONS_MAX)
        self.relay, self.disk = None, None
        try:
            self.server.start()
            self.relay = Relay(self.server.port.number)
            if has_small_disk:
                self._mount()
            tablespace = "small" if has_small_disk else "pg_default"
            self.server.ask(f"CREATE DATABASE quizrush TABLESPACE {tablespace}", "postgres")
            if is_migrated:
                done = run_once("--migrate", "--set", f"store={self.uri()}")
                assert done.returncode == 0, done.stderr
        except BaseException:
            self.destroy()
            raise

    def _mount(self):
        disk = self.server.directory / "disk"
        disk.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SMALL_DISK_MB}m", "quizrush-test", disk], check=True)
        self.disk = disk
        (disk / "tables").mkdir()
        self.server.give_away(disk / "tables")
        self.server.ask(f"CREATE TABLESPACE small LOCATION '{disk / 'tables'}'", "postgres")

    def uri(self):
        return self.server.uri(self.relay.port)

    def destroy(self):
        if self.relay is not None:
            self.relay.close()
        self.server.stop()
        if self.disk is not None:
            subprocess.run(["umount", "-l", self.disk], check=True)
        self.server.destroy()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.destroy()


# --- The faults. ---


@contextmanager
def calm(_stage):
    yield


@contextmanager
def killed(stage):
    stage.server.kill()
    yield
    stage.server.start()


@contextmanager
def stopped(stage):
    stage.server.signal(signal.SIGSTOP)
    yield
    stage.server.signal(signal.SIGCONT)


@contextmanager
def restarted(stage):
    stage.server.stop()
    stage.server.start()
    yield


@contextmanager
def reset(stage):
    is_over = threading.Event()

    def run():
        for _ in range(RESETS):
            stage.relay.reset()
            is_over.wait(RESET_EVERY_S)

    thread = threading.Thread(target=run)
    thread.start()
    yield
    is_over.set()
    thread.join()


@contextmanager
def slow(stage):
    stage.relay.delay_s = 1
    yield
    stage.relay.delay_s = 0


@contextmanager
def crowded(stage):
    """Others have all connections, and ours break: there is none to come back to."""
    others, is_full, is_over = [], threading.Event(), threading.Event()

    def crowd():
        while not is_over.wait(0.001):
            other = stage.server.connect()
            if other is not None:
                others.append(other)
            else:
                is_full.set()

    thread = threading.Thread(target=crowd)
    thread.start()
    assert is_full.wait(10), "others take all connections"
    for _ in range(CROWDED_RESETS):  # Some of ours may be first.
        stage.relay.reset()
        is_over.wait(RESET_EVERY_S)
    yield
    is_over.set()
    thread.join()
    for other in others:
        other.close()


@contextmanager
def full(stage):
    """The disk of the tables has no byte left, as often as PostgreSQL gives one back."""
    is_over = threading.Event()
    filler = stage.disk / "filler"

    def fill():
        with open(filler, "wb", buffering=0) as file:
            while not is_over.wait(0.001):
                try:
                    file.write(b"\0" * FILL_BYTES)
                except OSError:
                    is_over.wait(0.1)

    thread = threading.Thread(target=fill)
    thread.start()
    yield
    is_over.set()
    thread.join()
    filler.unlink()


@dataclass
class Fault:
    name: str
    begin: object  # A context manager of the stage.
    lasts_s: float
    has_small_disk: bool = False


FAULTS = [
    Fault("killed", killed, 5),
    Fault("stopped", stopped, 30),
    Fault("restarted", restarted, 0),
    Fault("reset", reset, RESETS * RESET_EVERY_S),
    Fault("slow", slow, 10),
    Fault("crowded", crowded, 10),
    Fault("full", full, 10, has_small_disk=True),
]


# --- A run. ---


@dataclass
class Seen:
    """What a run showed."""

    p99_ms: float = 0
    told: int = 0  # Results.
    wrongs: list = field(default_factory=list)
    events: set = field(default_factory=set)  # Of the log.
    waiting_max: int = 0
    open_max: int = 0
    lag_max_ms: int = 0
    ready_min: int = 1 << 30
    well_after_s: float = 0


class Watch:
    """Looks at the metrics as an operator would."""

    def __init__(self, daemon, seen):
        self.daemon, self.seen = daemon, seen
        self.is_over = threading.Event()
        self.thread = threading.Thread(target=self._run)

    def _run(self):
        while not self.is_over.wait(LOOK_EVERY_S):
            metrics, seen = self.daemon.metrics(), self.seen
            seen.waiting_max = max(seen.waiting_max, int(metrics.sum("quizrush_journal_results_waiting")))
            seen.open_max = max(seen.open_max, int(metrics.sum("quizrush_store_breakers", state="open")))
            seen.lag_max_ms = max(seen.lag_max_ms, int(max(metrics.values("quizrush_loop_lag_ms_max"))))
            up = metrics.sum("quizrush_store_connections", state="ready")
            up += metrics.sum("quizrush_store_connections", state="busy")
            seen.ready_min = min(seen.ready_min, int(up))

    def __enter__(self):
        self.thread.start()

    def __exit__(self, *_):
        self.is_over.set()
        self.thread.join()


def start_load(daemon, players, seconds):
    return subprocess.Popen(
        [load_binary(), "--host", LOOPBACK, "--port", str(daemon.port), "--players", str(players), "--seconds",
         str(seconds), "--rate", "200", "--think-min-ms", "50", "--think-max-ms", "600", "--told",
         daemon.directory / "told", "--json"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def told_by(daemon):
    """{match: (reason, score, score)} of the results that players were told, and what two were told differently."""
    told, wrongs = {}, []
    for line in (daemon.directory / "told").read_text(encoding="utf-8").splitlines():
        end = json.loads(line)
        if end.get("reason") not in ("finished", "forfeit"):
            continue
        match, result = end["match"], (end["reason"], *end["scores"])
        if told.setdefault(match, result) != result:
            wrongs.append(f"{match} was told as {told[match]} and as {result}")
    return told, wrongs


def is_well(metrics):
    return (metrics.sum("quizrush_journal_results_waiting") == 0
            and metrics.sum("quizrush_store_breakers", state="closed") == SETTINGS["workers"])


def compare(stage, told):
    """What of the results that were told is not in the database exactly once."""
    found = stage.server.results()
    wrongs = [f"{match} was told as {result}, and is stored as {found.get(match)}"
              for match, result in told.items() if found.get(match) != result]
    matches, counted = stage.server.ask("SELECT (SELECT count(*) FROM matches), sum(matches) FROM players").split("|")
    if 2 * int(matches) != int(counted):
        wrongs.append(f"{matches} matches are stored, and count {counted} times for their players")
    return wrongs


def play(stage, begin, lasts_s, players, seconds, look=None, **settings):
    """Players play for so many seconds; the fault begins when they do and some results are saved. `look` is called with
    the daemon when all is well again."""
    seen = Seen()
    with Daemon(**{**SETTINGS, "store": stage.uri(), **settings}) as daemon:
        with Watch(daemon, seen):
            load = start_load(daemon, players, seconds)
            daemon.wait_for_metrics(lambda metrics: metrics.sum("quizrush_store_saved_total") >= 5, "some are saved")
            with begin(stage):
                threading.Event().wait(lasts_s)
                if daemon.get("/healthz")[0] != 200:
                    seen.wrongs.append("/healthz says no")
            began_s = time.monotonic()
            daemon.wait_for_metrics(is_well, "all is well again", WELL_AGAIN_S)
            seen.well_after_s = time.monotonic() - began_s
            out, err = load.communicate(timeout=(seconds + 60) * PATIENCE)
            daemon.wait_for_metrics(lambda metrics: metrics.sum("quizrush_matches") == 0, "every match is over")
            daemon.wait_for_metrics(is_well, "all is well again", WELL_AGAIN_S)
        if look is not None:
            look(daemon)
        wait_until(lambda: daemon.get("/readyz")[0] == 200, 10, "it is ready again")
        figures = json.loads(out)
        seen.p99_ms = figures["latency_us"]["accepted"]["p99"] / 1000
        if (figures["violations"], figures["errors"], figures["cancelled_in_play"]) != (0, 0, 0):
            seen.wrongs.append(err.strip())
        told, wrongs = told_by(daemon)
        seen.told = len(told)
        seen.wrongs += wrongs + compare(stage, told)
        seen.events = {word.split("=", 1)[1] for line in daemon.log().splitlines() for word in line.split()
                       if word.startswith("event=")}
    return seen
