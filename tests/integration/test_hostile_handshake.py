"""Heads of HTTP requests that no client would send, or that never end: each has its answer, and in bounded time."""

import contextlib
import socket
import time
import unittest

from daemon import IS_SANITIZED, LOOPBACK, QUICK, Daemon
from honest import HonestPair
from raw import TEXT, RawSocket, frame, handshake

HEAD_TIMEOUT_MS = 1000  # hello_timeout_ms: for the head, and then for hello.
HEAD_BYTES_MAX = 4096
HALF_OPEN = 600
HALF_OPEN_MAX = 400
SLOW_READERS = 200  # More than libwebsockets has header buffers.
GROWTH_MAX = 16 << 20
LONGEST_S = 8
HELLO = b'{"type":"hello","id":1,"name":"Ada"}'


class HostileHandshakeTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.daemon = cls.enterClassContext(
            Daemon(**{**QUICK, "hello_timeout_ms": HEAD_TIMEOUT_MS, "max_half_open": HALF_OPEN_MAX})
        )
        cls.before = cls.daemon.baseline()
        cls.addClassCleanup(cls.nothing_is_left)
        cls.enterClassContext(HonestPair(cls.daemon))

    @classmethod
    def nothing_is_left(cls):
        cls.daemon.wait_for_metrics(
            lambda metrics: metrics.in_use() == cls.before and metrics.sum("quizrush_half_open") == 0,
            f"everything is given back: {cls.before}",
        )

    def raw(self):
        return self.enterContext(RawSocket(self.daemon))

    def answer(self, head):
        """(status, headers) of what answers these bytes; the connection must be closed behind it."""
        raw = self.raw()
        with contextlib.suppress(ConnectionError):  # It may be answered before all of it has been taken.
            raw.socket.sendall(head)
        response = raw.read_head()
        with contextlib.suppress(ConnectionError):
            while raw.socket.recv(65536):
                continue
        return response

    def assert_serves(self):
        """Both workers: the kernel spreads connections over them."""
        for _ in range(8):
            raw = self.enterContext(RawSocket.upgraded(self.daemon))
            raw.send_frame(TEXT, HELLO)
            self.assertIn('"welcome"', raw.read_text())
            raw.socket.close()

    # --- Handshakes. ---

    def test_another_version_is_told_the_right_one(self):
        for version in ("0", "7", "8", "12", "14", "25", "255", "13, 8", "x", ""):
            with self.subTest(version=version):
                status, headers = self.raw().upgrade(version=version)
                self.assertEqual((status, headers["sec-websocket-version"], headers["upgrade"]),
                                 (426, "13", "websocket"))

    def test_what_is_no_handshake_is_a_bad_request(self):
        whole = handshake(self.daemon.port)
        for part, other in ((b"GET", b"POST"), (b"HTTP/1.1", b"HTTP/1.0"), (b"Host", b"Hast"),
                            (b"Connection: Upgrade", b"Connection: close"), (b"==\r\n", b"=\r\n"),
                            (b"quizrush.v1", b"quizrush.v2"), (b"Host: ", b"Host: \0")):
            with self.subTest(part=part):
                self.assertEqual(self.answer(whole.replace(part, other, 1))[0], 400)

    def test_fields_of_any_name_and_number_do_not_matter(self):
        for more in (["X: y"], ["X:"], [": y"], ["y"], ["Te: x"], ["A" * 300 + ": b"], ["Cookie: " + "c" * 3000],
                     ["X: y"] * 500, ["Content-Length: 5"], ["Transfer-Encoding: chunked"],
                     ["Connection: keep-alive, " + "x" * 200]):
            with self.subTest(more=more[0][:20]):
                raw = self.raw()
                self.assertEqual(raw.upgrade(more=more, trailing=frame(TEXT, HELLO))[0], 101)
                self.assertIn('"welcome"', raw.read_text())

    def test_a_head_of_more_than_4096_bytes_is_refused(self):
        head = b"GET / HTTP/1.1\r\nX: "
        self.assertEqual(self.answer(head.ljust(HEAD_BYTES_MAX - 4, b"x") + b"\r\n\r\n")[0], 200)
        self.assertEqual(self.answer(head.ljust(HEAD_BYTES_MAX - 3, b"x") + b"\r\n\r\n")[0], 431)
        self.assertEqual(self.answer(head.ljust(64 * HEAD_BYTES_MAX, b"x"))[0], 431)

    # --- Plain requests. ---

    def test_every_head_has_its_answer_in_bounded_time(self):
        cases = (
            (b"\r\n\r\n", 400), (b"GET\r\n\r\n", 400), (b"GET /\r\n\r\n", 400), (b"GET / HTTP/2.0\r\n\r\n", 400),
            (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400), (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),
            (b"POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc", 405),
            (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", 405),
            (b"OPTIONS * HTTP/1.1\r\n\r\n", 405), (b"CONNECT a:80 HTTP/1.1\r\n\r\n", 405),
            (b"get / HTTP/1.1\r\n\r\n", 405), (b"GET /%00 HTTP/1.1\r\n\r\n", 404),
            (b"GET /../../etc/passwd HTTP/1.1\r\n\r\n", 404),
            (b"GET /" + b"a" * 3000 + b" HTTP/1.1\r\n\r\n", 404), (b"GET /healthz HTTP/1.1\r\nX: y\r\n\r\n", 200),
            (b"GET /healthz HTTP/1.1\r\n: y\r\n\r\n", 200), (b"GET /healthz HTTP/1.0\r\n\r\n", 200),
            (b"GET /healthz?a=%zz HTTP/1.1\r\n\r\n", 200), (b"HEAD / HTTP/1.1\r\n\r\n", 200),
            (b"GET /healthz HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc", 200),
            (b"GET /healthz HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", 200),
            (b"GET /healthz HTTP/1.1\r\nExpect: 100-continue\r\n\r\n", 200),
            (b"GET /healthz HTTP/1.1\r\n\r\nGET /healthz HTTP/1.1\r\n\r\n", 200),
            (b"GET /ws HTTP/1.1\r\n\r\n", 426), (b"POST /ws HTTP/1.1\r\n\r\n", 426),
        )
        for head, status in cases:
            with self.subTest(head=head[:40]):
                self.assertEqual(self.answer(head)[0], status)
        self.assert_serves()

    def test_readers_that_do_not_read_their_page_keep_nobody_out(self):
        readers = []
        for _ in range(SLOW_READERS):
            reader = self.enterContext(socket.socket())
            reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
            reader.connect((LOOPBACK, self.daemon.port))
            reader.sendall(b"GET /style.css HTTP/1.1\r\n\r\n")
            readers.append(reader)
        self.assert_serves()
        for reader in readers:
            reader.close()

    # --- Heads that never end. ---

    def test_a_head_that_breaks_off_with_its_connection_keeps_no_place(self):
        timeouts = self.daemon.metrics().sum("quizrush_handshake_timeouts_total")
        for size in range(1, 20):
            raw = self.raw()
            raw.socket.sendall(handshake(self.daemon.port)[:size])
            raw.socket.shutdown(socket.SHUT_WR)
            self.assertIsNone(raw.read_end())
        metrics = self.daemon.wait_for_metrics(lambda metrics: metrics.sum("quizrush_half_open") == 0, "all are ended")
        self.assertEqual(metrics.sum("quizrush_handshake_timeouts_total"), timeouts)

    def test_half_open_connections_are_bounded_and_ended_in_time(self):
        began, before = time.monotonic(), self.daemon.resident_bytes()
        whole = handshake(self.daemon.port)
        raws = [self.raw() for _ in range(HALF_OPEN)]
        for index, raw in enumerate(raws):
            with contextlib.suppress(ConnectionError):  # Those that are too many are closed at once.
                raw.socket.sendall(whole[:index % (len(whole) - 1)])
        for raw in raws:
            self.assertIsNone(raw.read_end())
        self.assertLess(time.monotonic() - began, LONGEST_S)
        metrics = self.daemon.wait_for_metrics(lambda metrics: metrics.sum("quizrush_half_open") == 0, "all are ended")
        self.assertLessEqual(metrics.sum("quizrush_half_open_max"), metrics.sum("quizrush_half_open_bound"))
        self.assertGreater(metrics.sum("quizrush_handshake_timeouts_total"), HALF_OPEN_MAX // 2)
        self.assertGreater(metrics.sum("quizrush_refused_handshake_total"), 0)
        if not IS_SANITIZED:
            self.assertLess(self.daemon.resident_bytes() - before, GROWTH_MAX)
        self.assert_serves()

    def test_a_head_that_trickles_in_is_ended_in_time(self):
        began, raw = time.monotonic(), self.raw()
        raw.socket.settimeout(0.02)
        with contextlib.suppress(ConnectionError):
            while time.monotonic() - began < LONGEST_S:
                raw.socket.sendall(b"x")
                with contextlib.suppress(TimeoutError):
                    if not raw.socket.recv(1):
                        break
        self.assertLess(time.monotonic() - began, LONGEST_S)


if __name__ == "__main__":
    unittest.main()
