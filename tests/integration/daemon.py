"""quizrushd as a process under test: started on free ports, asked by HTTP, stopped by signal.

Nothing here sleeps for a fixed time: wait_until() looks again until what is waited for is so, or a deadline passes.

QUIZRUSH_PATIENCE makes deadlines longer by this factor, for a daemon that a sanitizer slows down; what the server itself
is to keep is not a deadline. QUIZRUSH_WORKERS are the workers of a daemon for which the test names no number.
"""

import fcntl
import functools
import http.client
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
QUESTIONS = ROOT / "config" / "questions.json"
LOOPBACK = "127.0.0.1"
IS_SANITIZED = bool(os.environ.get("QUIZRUSH_SANITIZED"))

PATIENCE = float(os.environ.get("QUIZRUSH_PATIENCE", "1"))
START_DEADLINE_S = 20
STOP_DEADLINE_S = 20
HTTP_DEADLINE_S = 10
LOOK_AGAIN_S = 0.02
START_TRIES = 5

SANITIZER_REPORTS = ("ERROR: AddressSanitizer", "ERROR: LeakSanitizer", "WARNING: ThreadSanitizer", "runtime error:")

# Short enough for a suite, long enough that an answer always comes in time, sanitizers or not.
QUICK = {
    "workers": int(os.environ.get("QUIZRUSH_WORKERS", "2")),
    "match_rounds": 3,
    "match_start_ms": 100,
    "round_time_ms": 3000,
    "reveal_time_ms": 50,
    "reconnect_grace_ms": 500,
    "ended_keep_ms": 1000,
    "log_level": "debug",
}


def slowed(settings):
    """The same with more of that time in which a test has to do something."""
    times = ("match_start_ms", "round_time_ms", "reveal_time_ms", "reconnect_grace_ms", "ended_keep_ms", "ping_ms",
             "match_ping_ms")
    return {key: int(value * PATIENCE) if key in times else value for key, value in settings.items()}


@functools.cache
def command():
    """How quizrushd is run: a sanitizer needs its shadow memory's addresses free, so they are not randomised."""
    path = os.environ["QUIZRUSHD"]
    fixed = ["setarch", "-R"]
    if not IS_SANITIZED or shutil.which("setarch") is None:
        return [path]
    may_fix = subprocess.run([*fixed, "true"], stderr=subprocess.DEVNULL, check=False).returncode == 0
    return [*fixed, path] if may_fix else [path]


def load_binary():
    return os.environ["QUIZRUSH_LOAD"]


def wait_until(condition, deadline_s, what):
    """Returns the first true value of condition(); fails with `what` when there is none in time."""
    deadline_s *= PATIENCE
    ends_at = time.monotonic() + deadline_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > ends_at:
            raise AssertionError(f"not within {deadline_s} s: {what}")
        select.select([], [], [], LOOK_AGAIN_S)


class Port:
    """A free port, kept from other tests of this suite as long as it is held: the daemon shares its port with other
    processes of the same user (SO_REUSEPORT), so the kernel alone would not notice two that chose the same."""

    def __init__(self):
        self.number, self._lock = 0, None
        while self._lock is None:
            with socket.socket() as probe:
                probe.bind((LOOPBACK, 0))
                self.number = probe.getsockname()[1]
            self._lock = self._try_lock(self.number)

    @staticmethod
    def _try_lock(number):
        lock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        fcntl.fcntl(lock, fcntl.F_SETFD, fcntl.FD_CLOEXEC)
        try:
            lock.bind(f"\0quizrush-test-port-{number}")  # An abstract name: gone with the socket.
        except OSError:
            lock.close()
            return None
        return lock

    def release(self):
        self._lock.close()


def run_once(*arguments, deadline_s=20):
    """Runs quizrushd to its end: for what prints or checks, or fails to start."""
    return subprocess.run(
        [*command(), *map(str, arguments)], capture_output=True, text=True, timeout=deadline_s * PATIENCE,
        check=False
    )


def set_arguments(settings):
    arguments = []
    for key, value in settings.items():
        arguments += ["--set", f"{key}={value}"]
    return arguments


class Daemon:
    """with Daemon(key=value, ...) as daemon: a running quizrushd; at the end it must have stopped in order."""

    def __init__(self, **settings):
        self.settings = {
            "address": LOOPBACK,
            "admin_address": LOOPBACK,
            "questions": QUESTIONS,
            "store": "sqlite",
            **settings,
        }
        self.directory = Path(tempfile.mkdtemp(prefix="quizrushd-test-"))
        self.settings.setdefault("data_dir", self.directory)
        if IS_SANITIZED:  # What slows it down is none of the players' doing.
            self.settings.setdefault("admit_lag_ms", 0)
        self.environment = {}  # Beside this process's own.
        self.process = None
        self.port = self.admin_port = 0
        self._ports = []

    def preload(self, library, **environment):
        """Before the start: a library whose path the environment has is loaded into it."""
        self.environment |= {"LD_PRELOAD": os.environ[library], **environment}
        if IS_SANITIZED:  # It need not come first.
            self.environment["ASAN_OPTIONS"] = "verify_asan_link_order=0"

    # --- Life. ---

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.destroy()  # __exit__ is not called for what was not entered.
            raise

    def __exit__(self, kind, value, traceback):
        try:
            if kind is None:
                self.stop()
        finally:
            self.destroy(show_log=kind is not None)

    def start(self):
        for _ in range(START_TRIES):
            self.launch()
            if wait_until(self._ready_or_ended, START_DEADLINE_S, "the daemon is ready") == "ready":
                return self
            if "in use" not in self.log():
                break
        raise AssertionError(f"quizrushd ended with {self.process.returncode}:\n{self.log()}")

    def launch(self):
        """Starts the process on ports of its own, and waits for nothing."""
        self.release_ports()
        self._ports = [Port(), Port()]
        self.port, self.admin_port = (port.number for port in self._ports)
        return self._run()

    def _run(self):
        settings = {"port": self.port, "admin_port": self.admin_port, **self.settings}
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [*command(), *set_arguments(settings)], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={**os.environ, **self.environment},
            )
        return self

    def crash(self):
        """Ends it at once, as nothing that it could notice does."""
        self.process.kill()
        self.process.wait()

    def start_again(self):
        """On the same ports, with what it left; waits until it is ready."""
        self._run()
        if wait_until(self._ready_or_ended, START_DEADLINE_S, "the daemon is ready again") != "ready":
            raise AssertionError(f"quizrushd ended with {self.process.returncode}:\n{self.log()}")

    def _ready_or_ended(self):
        if self.process.poll() is not None:
            return "ended"
        try:
            return "ready" if self.get("/readyz")[0] == 200 else None
        except OSError:
            return None

    def terminate(self):
        self.process.send_signal(signal.SIGTERM)

    def wait(self, deadline_s=STOP_DEADLINE_S):
        """The exit status; fails where it does not end."""
        try:
            return self.process.wait(deadline_s * PATIENCE)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"quizrushd still runs after {deadline_s} s:\n{self.log()}") from None

    def stop(self):
        """Stops it, and asserts that it ended in order."""
        if self.process.poll() is None:
            self.terminate()
        self.assert_ended_in_order()

    def assert_ended_in_order(self):
        status = self.wait()
        log = self.log()
        assert status == 0, f"quizrushd ended with {status}:\n{log}"
        for report in SANITIZER_REPORTS:
            assert report not in log, log

    def destroy(self, show_log=False):
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        if show_log:
            print(f"--- quizrushd said:\n{self.log()}---", flush=True)
        self.release_ports()
        shutil.rmtree(self.directory, ignore_errors=True)

    def release_ports(self):
        for port in self._ports:
            port.release()
        self._ports = []

    # --- What it says. ---

    @property
    def log_path(self):
        return self.directory / "log"

    def log(self):
        return self.log_path.read_text(errors="replace")

    @property
    def database_path(self):
        return Path(self.settings["data_dir"]) / "quizrush.db"

    @property
    def url(self):
        return f"ws://{LOOPBACK}:{self.port}/ws"

    @property
    def page_url(self):
        return f"http://{LOOPBACK}:{self.port}/"

    def get(self, path, admin=False, method="GET"):
        """(status, headers, text) of one HTTP request."""
        port = self.admin_port if admin else self.port
        connection = http.client.HTTPConnection(LOOPBACK, port, timeout=HTTP_DEADLINE_S * PATIENCE)
        try:
            connection.request(method, path)
            response = connection.getresponse()
            return response.status, response.headers, response.read().decode()
        except http.client.HTTPException as error:
            raise OSError(f"no HTTP answer: {error!r}") from error
        finally:
            connection.close()

    def resident_bytes(self):
        fields = dict(line.split(":", 1) for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines())
        return int(fields["VmRSS"].split()[0]) * 1024

    def metrics(self):
        status, _, text = self.get("/metrics", admin=True)
        assert status == 200, text
        return Metrics(text)

    def wait_until_stored(self):
        """Every result that was told is in the database."""
        self.wait_for_metrics(lambda metrics: metrics.sum("quizrush_journal_results_waiting") == 0, "results stored")

    def wait_for_metrics(self, condition, what, deadline_s=10):
        """The first metrics for which condition(metrics) is true; the daemon publishes them once a second."""

        def look():
            metrics = self.metrics()
            return metrics if condition(metrics) else None

        return wait_until(look, deadline_s, what)

    def baseline(self):
        """What is in use while nobody is there, once every shard has published its figures."""
        return self.wait_for_metrics(
            lambda metrics: min(metrics.values("quizrush_tokens_live")) > 0, "every shard has published"
        ).in_use()


class Metrics:
    """What /metrics said, by name and labels."""

    LINE = re.compile(r"^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$")
    LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"')

    def __init__(self, text):
        self.samples = []
        for line in text.splitlines():
            if not line or line.startswith("#"):
                continue
            match = self.LINE.match(line)
            assert match, f"no sample of the text format: {line!r}"
            name, labels, value = match.groups()
            self.samples.append((name, dict(self.LABEL.findall(labels or "")), float(value)))

    def values(self, name, **labels):
        """Every sample with this name and these labels."""
        found = [
            value
            for sample, have, value in self.samples
            if sample == name and all(have.get(key) == wanted for key, wanted in labels.items())
        ]
        assert found, f"no metric {name} {labels}"
        return found

    def sum(self, name, **labels):
        return sum(self.values(name, **labels))

    def in_use(self):
        """What must be as before when everybody has gone: everything that a player or a match holds."""
        names = ["connections", "players", "matches", "timers_live", "tokens_live", "lingering", "away_tickets"]
        names += ["frames_small", "frames_medium", "frames_large"]
        names += [f"{kind}_slots" for kind in ("session", "match", "ended", "standing", "ticket", "offer", "presence")]
        return {name: self.sum(f"quizrush_{name}") for name in names}
