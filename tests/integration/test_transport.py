"""Below the messages: the handshake and the frames."""

import json
import struct
import unittest

import websockets

from daemon import QUICK, Daemon
from raw import BINARY, CLOSE, TEXT, RawSocket, frame

MESSAGE_BYTES_MAX = 4096


def padded_ping(size):
    """A ping of exactly this many bytes: a field that nobody knows fills it."""
    empty = json.dumps({"type": "ping", "id": 1, "at": 7, "pad": ""})
    return json.dumps({"type": "ping", "id": 1, "at": 7, "pad": "x" * (size - len(empty))})


class TransportTest(unittest.IsolatedAsyncioTestCase):
    @classmethod
    def setUpClass(cls):
        cls.daemon = cls.enterClassContext(Daemon(**QUICK))

    def raw(self):
        return self.enterContext(RawSocket(self.daemon))

    async def test_a_client_of_other_subprotocols_is_refused(self):
        with self.assertRaises(websockets.InvalidStatusCode) as raised:
            await websockets.connect(self.daemon.url, subprotocols=["quizrush.v2", "chat"])
        self.assertEqual(raised.exception.status_code, 400)

    async def test_a_client_that_offers_several_gets_ours(self):
        async with websockets.connect(self.daemon.url, subprotocols=["chat", "quizrush.v1"]) as socket:
            self.assertEqual(socket.subprotocol, "quizrush.v1")

    def test_a_client_that_offers_none_is_served(self):
        raw = self.raw()
        status, headers = raw.upgrade(protocols=None)
        self.assertEqual(status, 101)
        self.assertNotIn("sec-websocket-protocol", headers)
        raw.send_frame(TEXT, b'{"type":"hello","id":1,"name":"Ada"}')
        self.assertEqual(json.loads(raw.read_text())["type"], "welcome")

    def test_another_version_of_the_protocol_is_refused(self):
        for version in ("8", "12", "14", "x"):
            with self.subTest(version=version):
                self.assertIn(self.raw().upgrade(version=version)[0], (400, 426))

    def test_another_path_is_no_websocket(self):
        self.assertEqual(self.raw().upgrade(path="/other")[0] // 100, 4)

    def upgraded(self):
        raw = self.raw()
        self.assertEqual(raw.upgrade()[0], 101)
        return raw

    def test_a_close_with_1000_is_answered_with_1000(self):
        raw = self.upgraded()
        raw.send_frame(CLOSE, struct.pack("!H", 1000))
        opcode, payload = raw.read_frame()
        self.assertEqual((opcode, payload), (CLOSE, struct.pack("!H", 1000)))

    def test_a_binary_frame_closes_with_1003(self):
        raw = self.upgraded()
        raw.send_frame(BINARY, b'{"type":"hello","id":1,"name":"Ada"}')
        self.assertEqual(raw.read_close_code(), 1003)

    def test_text_that_is_not_utf8_closes_with_1007(self):
        for text in (b'{"type":"\xff"}', b'\xed\xa0\x80', b'\xc0\xaf'):
            with self.subTest(text=text):
                raw = self.upgraded()
                raw.send_frame(TEXT, text)
                self.assertEqual(raw.read_close_code(), 1007)

    def test_a_message_of_4096_bytes_is_read(self):
        raw = self.upgraded()
        raw.send_frame(TEXT, b'{"type":"hello","id":1,"name":"Ada"}')
        self.assertEqual(json.loads(raw.read_text())["type"], "welcome")
        text = padded_ping(MESSAGE_BYTES_MAX).encode()
        self.assertEqual(len(text), MESSAGE_BYTES_MAX)
        raw.send_frame(TEXT, text)
        self.assertEqual(json.loads(raw.read_text())["type"], "pong")
        raw.send_frame(TEXT, text[:2000], final=False)
        raw.send_frame(0, text[2000:])
        self.assertEqual(json.loads(raw.read_text())["type"], "pong")

    def test_a_message_of_4097_bytes_closes_with_1009(self):
        raw = self.upgraded()
        raw.send_frame(TEXT, padded_ping(MESSAGE_BYTES_MAX + 1).encode())
        self.assertEqual(raw.read_close_code(), 1009)

    def test_fragments_add_up(self):
        raw = self.upgraded()
        text = padded_ping(MESSAGE_BYTES_MAX + 1).encode()
        raw.send_frame(TEXT, text[:3000], final=False)
        raw.send_frame(0, text[3000:])
        self.assertEqual(raw.read_close_code(), 1009)

    def test_what_comes_behind_the_handshake_in_one_segment_is_not_lost(self):
        raw = self.raw()
        hello = frame(TEXT, b'{"type":"hello","id":1,"name":"Ada"}')
        pings = b"".join(frame(TEXT, padded_ping(400).encode()) for _ in range(5))
        self.assertEqual(raw.upgrade(trailing=hello + pings)[0], 101)
        self.assertEqual([json.loads(raw.read_text())["type"] for _ in range(6)], ["welcome"] + 5 * ["pong"])


if __name__ == "__main__":
    unittest.main()
