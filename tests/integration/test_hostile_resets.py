"""Connections that break at any moment, that flood, or that do not read: bounded memory, and nobody else is touched."""

import contextlib
import json
import os
import select
import signal
import socket
import time
import unittest
from pathlib import Path

from daemon import IS_SANITIZED, LOOPBACK, QUICK, Daemon, wait_until
from honest import HonestPair
from raw import BINARY, PING, TEXT, RawSocket, frame, handshake

MILLION = 1_000_000
FLOOD_S = 5  # shard_priv.h, FLOOD_MAX_MS.
LEAVING_S = 2  # ws.c, LEAVING_MS.
DEADLINE_S = 30
GROWTH_MAX = 16 << 20
RESETS_PER_STAGE = 5
CROWD = 2000
TRIES = 3
# What both sides' sockets hold, and not what is read in two seconds.
KERNELS_BYTES_MAX = 6 << 20
STALLED = 1024 + 8  # Messages in pieces, of one worker.

SETTINGS = {
    **QUICK,
    "workers": 1,
    "reconnect_grace_ms": 100,
    "send_timeout_ms": 500,
    "message_rate": 1000,
    "message_burst": 10000,
}

HELLO = b'{"type":"hello","id":1,"name":"Mallory"}'
JOIN = b'{"type":"join","id":2,"mode":"duel","category":"history"}'
JOIN_HOUSE = b'{"type":"join","id":2,"mode":"house"}'
PING_REQUEST = b'{"type":"ping","id":3,"at":"' + b"x" * 64 + b'"}'


def flood(daemon, text, count, until=None):
    """Sends `count` times the text and reads what comes, until that is sent, the connection ends, or this has come:
    (whether all was sent, what came)."""
    block = text * 1000
    left, came = count * len(text), bytearray()
    ends_at = time.monotonic() + DEADLINE_S
    with RawSocket.upgraded(daemon) as raw:
        raw.socket.sendall(frame(TEXT, HELLO))
        raw.socket.setblocking(False)
        view = memoryview(block)
        at = 0
        while left > 0:
            assert time.monotonic() < ends_at, f"{left} bytes were not taken"
            readable, writable, _ = select.select([raw.socket], [raw.socket], [], 0.1)
            try:
                if readable:
                    more = raw.socket.recv(1 << 16)
                    if not more:
                        return False, bytes(came)
                    came += more
                    if until is not None and until in came:
                        return False, bytes(came)
                if writable:
                    sent = raw.socket.send(view[at:at + left])
                    left, at = left - sent, (at + sent) % len(block)
            except ConnectionError:
                return False, bytes(came)
        return True, bytes(came)


class HostileConnectionsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.daemon = cls.enterClassContext(Daemon(**SETTINGS))
        cls.before = cls.daemon.baseline()
        cls.addClassCleanup(cls.nothing_is_left)
        cls.enterClassContext(HonestPair(cls.daemon))
        cls.resident_before = cls.daemon.resident_bytes()

    @classmethod
    def nothing_is_left(cls):
        cls.daemon.wait_for_metrics(
            lambda metrics: metrics.in_use() == cls.before and metrics.sum("quizrush_half_open") == 0,
            f"everything is given back: {cls.before}",
        )

    def tearDown(self):
        if not IS_SANITIZED:
            self.assertLess(self.daemon.resident_bytes() - self.resident_before, GROWTH_MAX)

    def upgraded(self):
        return self.enterContext(RawSocket.upgraded(self.daemon))

    def greeted(self):
        raw = self.upgraded()
        raw.send_frame(TEXT, HELLO)
        self.assertEqual(json.loads(raw.read_text())["type"], "welcome")
        return raw


    def until(self, raw, type_):
        while json.loads(raw.read_text())["type"] != type_:
            continue

    # --- Resets. ---

    def test_a_reset_at_any_stage_leaves_nothing(self):
        head = handshake(self.daemon.port)
        stages = {
            "before the head": lambda raw: None,
            "in the head": lambda raw: raw.socket.sendall(head[:len(head) // 2]),
            "with the head": lambda raw: raw.socket.sendall(head),
            "after 101": lambda raw: raw.upgrade(),
            "in the first frame": lambda raw: raw.upgrade(trailing=frame(TEXT, HELLO)[:1]),
            "in hello": lambda raw: raw.upgrade(trailing=frame(TEXT, HELLO)[:20]),
            "behind hello": lambda raw: raw.upgrade(trailing=frame(TEXT, HELLO)),
            "behind hello and join": lambda raw: raw.upgrade(trailing=frame(TEXT, HELLO) + frame(TEXT, JOIN)),
            "in fragments": lambda raw: raw.upgrade(trailing=frame(TEXT, HELLO[:9], False)),
            "behind a close": lambda raw: raw.upgrade(trailing=frame(0x8, b"")),
            "queued": lambda raw: (raw.upgrade(trailing=frame(TEXT, HELLO) + frame(TEXT, JOIN)),
                                   self.until(raw, "queued")),
            "in a match": lambda raw: (raw.upgrade(trailing=frame(TEXT, HELLO) + frame(TEXT, JOIN_HOUSE)),
                                       self.until(raw, "round")),
            "while it is sent to": lambda raw: (raw.upgrade(trailing=frame(TEXT, HELLO)), self.until(raw, "welcome"),
                                                raw.socket.sendall(30 * frame(TEXT, PING_REQUEST))),
        }
        for stage, begin in stages.items():
            with self.subTest(stage=stage):
                raws = [RawSocket(self.daemon) for _ in range(RESETS_PER_STAGE)]
                for raw in raws:
                    begin(raw)
                    raw.reset()
        self.greeted()

    def test_a_reset_in_a_match_is_told_to_the_other(self):
        ada, bob = self.greeted(), self.greeted()
        for raw in (ada, bob):
            raw.send_frame(TEXT, JOIN)
        for raw in (ada, bob):
            self.until(raw, "match")
        bob.reset()
        self.until(ada, "peer")
        self.until(ada, "end")

    def files_open_when_answered(self, honest, raws):
        """All of them go, and only then is something asked, before the daemon sees any of it: how many files it still
        has open when the answer comes."""
        self.daemon.process.send_signal(signal.SIGSTOP)
        for index, raw in enumerate(raws):
            if index % 2 == 0:
                raw.reset()
            else:
                raw.socket.close()
        honest.send_frame(TEXT, PING_REQUEST)
        self.daemon.process.send_signal(signal.SIGCONT)
        self.until(honest, "pong")
        return len(os.listdir(f"/proc/{self.daemon.process.pid}/fd"))

    def test_who_stays_is_answered_before_thousands_that_have_gone_are_closed(self):
        honest = self.greeted()
        for _ in range(TRIES):  # Where this process is not let run for a while, all are closed when it looks.
            raws = [self.upgraded() for _ in range(CROWD)]
            if self.files_open_when_answered(honest, raws) > CROWD / 2:
                return
        self.fail("the answer came behind the closes")

    # --- Floods. ---

    def test_a_million_pings_of_the_websocket_are_taken(self):
        is_sent, _ = flood(self.daemon, frame(PING, b"?"), MILLION)
        self.assertTrue(is_sent)

    def test_a_million_requests_are_not_read_then_closed_with_4008(self):
        began = time.monotonic()
        closed = b"\x0f\xa8rate_limited"  # 4008
        is_sent, came = flood(self.daemon, frame(TEXT, PING_REQUEST), MILLION, until=closed)
        self.assertFalse(is_sent)
        took_s = time.monotonic() - began
        self.assertGreaterEqual(took_s, FLOOD_S)
        self.assertIn(b'{"type":"bye","reason":"rate_limited"', came)
        most = 2 * (SETTINGS["message_burst"] + took_s * SETTINGS["message_rate"])
        self.assertLessEqual(came.count(b'"id":3'), most)

    def test_who_is_sent_away_and_sends_on_is_not_read_and_soon_dropped(self):
        raw = self.greeted()
        raw.send_frame(BINARY, b"")
        self.assertEqual(raw.read_close_code(), 1003)
        before = self.daemon.metrics().sum("quizrush_leaving_dropped_total")
        raw.socket.setblocking(False)
        view, taken, began = memoryview(1000 * frame(TEXT, PING_REQUEST)), 0, time.monotonic()
        with self.assertRaises(ConnectionError):
            while time.monotonic() < began + DEADLINE_S:
                if select.select([], [raw.socket], [], 0.1)[1]:
                    taken += raw.socket.send(view)
        self.assertLess(taken, KERNELS_BYTES_MAX)
        self.daemon.wait_for_metrics(
            lambda metrics: metrics.sum("quizrush_leaving_dropped_total") == before + 1, "it was dropped")

    def socket_of(self, raw):
        """The daemon's end of the connection, as its open files name it."""
        ends = (f":{self.daemon.port:04X}", f":{raw.socket.getsockname()[1]:04X}")
        for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
            _, local, remote, *fields = line.split()
            if (local[-5:], remote[-5:]) == ends:
                return f"socket:[{fields[6]}]"
        raise AssertionError("no such connection")

    def has_open(self, socket_name):
        directory = Path(f"/proc/{self.daemon.process.pid}/fd")
        for path in directory.iterdir():
            with contextlib.suppress(FileNotFoundError):
                if os.readlink(path) == socket_name:
                    return True
        return False

    def seconds_until_gone(self):
        """From the end of one that goes when it is sent away, until the daemon has closed its socket."""
        raw = self.greeted()
        name = self.socket_of(raw)
        self.assertTrue(self.has_open(name))
        raw.send_frame(BINARY, b"")
        self.assertEqual(raw.read_end(), 1003)
        began = time.monotonic()
        wait_until(lambda: not self.has_open(name), DEADLINE_S, "it is closed")
        return time.monotonic() - began

    def test_who_goes_when_sent_away_is_closed_at_once(self):
        self.assertLess(min(self.seconds_until_gone() for _ in range(TRIES)), LEAVING_S / 2)

    # --- What is not read, or never comes. ---

    def test_a_client_that_does_not_read_is_not_read_then_dropped(self):
        raw = RawSocket.__new__(RawSocket)
        raw.socket, raw.port, raw.pending = self.enterContext(socket.socket()), self.daemon.port, b""
        raw.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        raw.socket.connect((LOOPBACK, self.daemon.port))
        raw.upgrade(trailing=frame(TEXT, HELLO))
        raw.socket.settimeout(DEADLINE_S)
        with self.assertRaises(ConnectionError):
            while True:
                raw.socket.sendall(100 * frame(TEXT, PING_REQUEST))
        self.daemon.wait_for_metrics(lambda metrics: metrics.sum("quizrush_slow_readers_total") == 1, "it is counted")

    def test_messages_whose_rest_never_comes_keep_nobody_out(self):
        stalled = [self.upgraded() for _ in range(STALLED)]
        for raw in stalled:
            raw.socket.sendall(frame(TEXT, HELLO[:9], False))
        for _ in range(4):
            raw = self.upgraded()
            raw.socket.sendall(frame(TEXT, HELLO[:9], False) + frame(0, HELLO[9:]))
            self.assertEqual(json.loads(raw.read_text())["type"], "welcome")
        self.assertEqual(stalled[0].read_end(), 1013)
        stalled[-1].send_frame(0, HELLO[9:])
        self.assertEqual(json.loads(stalled[-1].read_text())["type"], "welcome")
        for raw in stalled:
            raw.socket.close()


if __name__ == "__main__":
    unittest.main()
