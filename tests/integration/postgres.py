"""A PostgreSQL server for tests: made in a directory of its own, started, disturbed, stopped; and a relay before it."""

import os
import pwd
import selectors
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time
from collections import deque
from pathlib import Path

from daemon import LOOPBACK, Port, wait_until

MEMORY = Path("/dev/shm")
PIECE_BYTES = 65536
START_DEADLINE_S = 20
PROTOCOL = 3 << 16


class Server:
    """On a Unix socket in its directory and on a port of 127.0.0.1, as the user `postgres` where this is root.

    In memory and without syncing, unless it `is_durable`: most tests are about the program, not the disk."""

    def __init__(self, is_durable=False, connections_max=100):
        self.programs = Path(subprocess.check_output(["pg_config", "--bindir"], text=True).strip())
        parent = MEMORY if MEMORY.is_dir() and not is_durable else None
        self.directory = Path(tempfile.mkdtemp(prefix="quizrush-postgres-", dir=parent))
        self.user = {}
        if os.geteuid() == 0:
            postgres = pwd.getpwnam("postgres")
            self.user = {"user": postgres.pw_uid, "group": postgres.pw_gid, "extra_groups": []}
        self.give_away(self.directory)
        self.options = {"fsync": "on" if is_durable else "off", "max_connections": connections_max}
        self.port = Port()
        self.process = None
        subprocess.run([self.programs / "initdb", "-D", self.directory / "data", "-U", "postgres", "-E", "UTF8",
                        "--no-locale", "--no-sync", "--auth=trust"], check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, **self.user)

    def give_away(self, directory):
        if self.user:
            os.chown(directory, self.user["user"], self.user["group"])
        directory.chmod(0o755)

    def start(self):
        options = {"listen_addresses": LOOPBACK, "port": self.port.number, **self.options}
        arguments = [word for key, value in options.items() for word in ("-c", f"{key}={value}")]
        with open(self.directory / "log", "ab") as log:
            self.process = subprocess.Popen(
                [self.programs / "postgres", "-D", self.directory / "data", "-k", self.directory, *arguments],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, **self.user)
        wait_until(self._takes_connections, START_DEADLINE_S, "PostgreSQL takes connections")

    def _takes_connections(self):
        session = self.connect()
        if session is not None:
            session.close()
        return session is not None

    def connect(self):
        """A session that asks nothing; None where there is none to have. (No psql: a process for each look would be
        load of its own.)"""
        try:
            session = socket.create_connection((LOOPBACK, self.port.number))
            words = b"user\0postgres\0database\0postgres\0\0"
            session.sendall(struct.pack("!ii", 8 + len(words), PROTOCOL) + words)
            if session.recv(1) == b"R":
                return session
            session.close()
        except OSError:
            pass  # It is not there.
        return None

    # --- What is asked of it. ---

    def ask(self, sql, database="quizrush"):
        done = subprocess.run([self.programs / "psql", "-h", self.directory, "-p", str(self.port.number), "-U",
                               "postgres", "-d", database, "-Atc", sql], capture_output=True, text=True, check=False)
        return done.stdout.strip()

    def uri(self, port=None):
        """By the Unix socket; or by a port of 127.0.0.1: its own, or a relay's."""
        where = f"{self.directory}&port={self.port.number}" if port is None else f"{LOOPBACK}&port={port}"
        return f"postgresql://postgres@/quizrush?host={where}"

    def results(self):
        """{match: (reason, score, score)} of what it has."""
        found = self.ask("SELECT match, reason, string_agg(score::text, ' ' ORDER BY place) FROM matches"
                         " JOIN match_players USING (match) GROUP BY match, reason")
        rows = [line.split("|") for line in found.splitlines()]
        return {match: (reason, *map(int, scores.split())) for match, reason, scores in rows}

    # --- What is done to it. ---

    def processes(self):
        """The first one's children are in groups of their own."""
        pid = self.process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
        return [pid, *map(int, children)]

    def signal(self, number):
        for process in self.processes():
            try:
                os.kill(process, number)
            except ProcessLookupError:
                pass  # It ended by itself.

    def kill(self):
        self.signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        """Closes all connections."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(START_DEADLINE_S)

    def destroy(self):
        self.stop()
        self.port.release()
        shutil.rmtree(self.directory, ignore_errors=True)


class Held:
    """Bytes on their way in one direction, with the time at which they may go on."""

    def __init__(self, source, target, is_answer):
        self.source, self.target, self.is_answer = source, target, is_answer
        self.pieces = deque()


class Relay:
    """A port of 127.0.0.1 whose connections go on to another: it can reset them all, and delay what comes back."""

    def __init__(self, port):
        self.behind = port
        self.delay_s = 0
        self.is_over = False
        self.pairs = {}  # A socket, to what comes from it.
        self.lock = threading.Lock()
        self.listener = socket.create_server((LOOPBACK, 0))
        self.port = self.listener.getsockname()[1]
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.listener, selectors.EVENT_READ)
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def reset(self):
        """Ends every connection with RST, on both sides."""
        with self.lock:
            for held in list(self.pairs.values()):
                self._drop(held, is_reset=True)

    def close(self):
        self.is_over = True
        self.thread.join()
        self.reset()
        self.listener.close()

    def _run(self):
        while not self.is_over:
            with self.lock:
                wait_s = self._forward()
            ready = self.selector.select(wait_s)
            with self.lock:
                for key, _ in ready:
                    self._on_ready(key.fileobj)

    def _on_ready(self, ready):
        if ready is self.listener:
            self._accept()
        elif ready in self.pairs:  # Not dropped meanwhile.
            self._read(self.pairs[ready])

    def _accept(self):
        front, _ = self.listener.accept()
        try:
            back = socket.create_connection((LOOPBACK, self.behind))
        except OSError:
            front.close()
            return
        for source, target, is_answer in ((front, back, False), (back, front, True)):
            source.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.pairs[source] = Held(source, target, is_answer)
            self.selector.register(source, selectors.EVENT_READ)

    def _read(self, held):
        try:
            piece = held.source.recv(PIECE_BYTES)
        except OSError:
            piece = b""
        if not piece:
            self._drop(held)
            return
        held.pieces.append((time.monotonic() + (self.delay_s if held.is_answer else 0), piece))

    def _forward(self):
        """How long until there is more to do."""
        wait_s, now = 0.1, time.monotonic()
        for held in list(self.pairs.values()):
            while held.pieces and held.pieces[0][0] <= now and held.source in self.pairs:
                try:
                    held.target.sendall(held.pieces.popleft()[1])
                except OSError:
                    self._drop(held)
            if held.pieces:
                wait_s = min(wait_s, max(0, held.pieces[0][0] - now))
        return wait_s

    def _drop(self, held, is_reset=False):
        for end in (held.source, held.target):
            if self.pairs.pop(end, None) is None:
                continue
            self.selector.unregister(end)
            if is_reset:
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            end.close()
