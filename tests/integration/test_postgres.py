"""The whole server with PostgreSQL as its store, and a PostgreSQL that is killed while they play."""

import json
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import unittest
from pathlib import Path

from daemon import LOOPBACK, PATIENCE, QUICK, Daemon, load_binary, run_once, wait_until

PLAYERS = 60
SECONDS = 6
DEADLINE_S = 60 * PATIENCE
MEMORY = Path("/dev/shm")


class Server:
    """A PostgreSQL on a Unix socket in a directory of its own, as `postgres` where this is root."""

    def __init__(self):
        self.programs = Path(subprocess.check_output(["pg_config", "--bindir"], text=True).strip())
        self.directory = Path(tempfile.mkdtemp(prefix="quizrush-postgres-", dir=MEMORY if MEMORY.is_dir() else None))
        self.user = {}
        if os.geteuid() == 0:
            postgres = pwd.getpwnam("postgres")
            os.chown(self.directory, postgres.pw_uid, postgres.pw_gid)
            self.user = {"user": postgres.pw_uid, "group": postgres.pw_gid, "extra_groups": []}
        self.directory.chmod(0o755)
        self.process = None
        subprocess.run([self.programs / "initdb", "-D", self.directory / "data", "-U", "postgres", "-E", "UTF8",
                        "--no-locale", "--no-sync", "--auth=trust"], check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, **self.user)

    def start(self):
        with open(self.directory / "log", "ab") as log:
            self.process = subprocess.Popen(
                [self.programs / "postgres", "-D", self.directory / "data", "-k", self.directory, "-c",
                 "listen_addresses=", "-c", "fsync=off"], stdin=subprocess.DEVNULL, stdout=log, stderr=log, **self.user)
        wait_until(lambda: self.ask("SELECT 1", "postgres") == "1", 20 * PATIENCE, "PostgreSQL takes connections")

    def ask(self, sql, database="quizrush"):
        done = subprocess.run([self.programs / "psql", "-h", self.directory, "-U", "postgres", "-d", database, "-Atc",
                               sql], capture_output=True, text=True, check=False)
        return done.stdout.strip()

    def uri(self):
        return f"postgresql://postgres@/quizrush?host={self.directory}"

    def kill(self):
        """All of its processes: the first one's children are in groups of their own."""
        pid = self.process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
        for process in [pid, *map(int, children)]:
            os.kill(process, signal.SIGKILL)
        self.process.wait()

    def destroy(self):
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(20)
        shutil.rmtree(self.directory, ignore_errors=True)


def results(metrics):
    return sum(metrics.sum("quizrush_matches_ended_total", reason=reason) for reason in ("finished", "forfeit"))


class PostgresTest(unittest.TestCase):
    def setUp(self):
        self.server = Server()
        self.addCleanup(self.server.destroy)
        self.server.start()
        self.server.ask("CREATE DATABASE quizrush", "postgres")
        self.settings = {**QUICK, "log_level": "info", "round_time_ms": 1000, "reveal_time_ms": 100,
                         "store": self.server.uri(), "store_timeout_ms": 1000}

    def migrate(self):
        done = run_once("--migrate", "--set", f"store={self.server.uri()}")
        self.assertEqual(done.returncode, 0, done.stderr)

    def load(self, daemon):
        return subprocess.Popen(
            [load_binary(), "--host", LOOPBACK, "--port", str(daemon.port), "--players", str(PLAYERS), "--seconds",
             str(SECONDS), "--rate", "400", "--think-min-ms", "50", "--think-max-ms", "600", "--json"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def test_it_says_what_to_run_where_there_is_no_schema(self):
        daemon = Daemon(**self.settings)
        self.addCleanup(daemon.destroy)
        with self.assertRaisesRegex(AssertionError, "run quizrushd --migrate"):
            daemon.start()

    def test_a_server_that_is_killed_in_between_has_every_result_once(self):
        self.migrate()
        with Daemon(**self.settings) as daemon:
            load = self.load(daemon)
            daemon.wait_for_metrics(lambda metrics: metrics.sum("quizrush_store_saved_total") >= 5, "some are saved")
            self.server.kill()
            daemon.wait_for_metrics(lambda metrics: metrics.sum("quizrush_store_failed_total") > 0, "some fail")
            self.assertEqual(daemon.get("/healthz")[0], 200)
            self.server.start()
            out, err = load.communicate(timeout=DEADLINE_S)
            figures = json.loads(out)
            self.assertEqual((figures["violations"], figures["errors"]), (0, 0), out + err)
            daemon.wait_for_metrics(lambda metrics: metrics.sum("quizrush_matches") == 0, "every match is over")
            daemon.wait_until_stored()
            matches = int(self.server.ask("SELECT count(*) FROM matches"))
            self.assertEqual(self.server.ask("SELECT sum(matches) FROM players"), str(2 * matches))
            daemon.wait_for_metrics(lambda metrics: results(metrics) == matches, f"all {matches} results are told")
            self.assertEqual(daemon.get("/readyz")[0], 200)
            self.assert_recomputed(daemon)

    def assert_recomputed(self, daemon):
        """What is stored of the last match is what its answers make of it; so says the journal of this run, too."""
        match = self.server.ask("SELECT match FROM matches ORDER BY match DESC LIMIT 1")
        for data_dir, source in ((daemon.settings["data_dir"], "journal"), (self.server.directory, "store")):
            done = subprocess.run([os.environ["QUIZRUSHCTL"], "--data-dir", data_dir, "--store", self.server.uri(),
                                   "replay", "--verify", match], capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            self.assertIn(f"from the {source}", done.stdout)


if __name__ == "__main__":
    unittest.main()
