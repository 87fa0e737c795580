"""A small conformance suite for the transport, on quizrush-wsecho: the daemon's edge around an echo."""

import os
import socket
import struct
import subprocess
import unittest

from daemon import SANITIZER_REPORTS, STOP_DEADLINE_S, Port, command, wait_until
from raw import BINARY, CLOSE, PING, PONG, TEXT, RawSocket, frame, odd_frame, unmasked

CONTINUATION = 0x0
FINAL = 0x80
MESSAGE_BYTES_MAX = 4096
CONTROL_BYTES_MAX = 125
SIZES = (0, 1, 2, 125, 126, 127, 128, 129, 255, 256, 1000, 4095, 4096)
OWL = "🦉".encode()


def segments_in(tcp):
    """How many segments with data the socket has received: tcp_info's tcpi_data_segs_in."""
    info = tcp.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 156)
    return struct.unpack_from("I", info, 152)[0]


class Echo:
    """with Echo() as echo: a running quizrush-wsecho; at the end it must have stopped in order."""

    def __init__(self):
        self.port_lock = Port()
        self.port = self.port_lock.number
        self.process = subprocess.Popen(
            [*command()[:-1], os.environ["QUIZRUSH_WSECHO"], str(self.port)], stderr=subprocess.PIPE, text=True
        )

    def __enter__(self):
        wait_until(self._answers, STOP_DEADLINE_S, "quizrush-wsecho answers")
        return self

    def _answers(self):
        try:
            with RawSocket(self):
                return True
        except ConnectionRefusedError:
            return False

    def __exit__(self, *_):
        self.process.terminate()
        _, log = self.process.communicate(timeout=STOP_DEADLINE_S)
        self.port_lock.release()
        assert self.process.returncode == 0, log
        assert not any(report in log for report in SANITIZER_REPORTS), log


class EchoTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.echo = cls.enterClassContext(Echo())

    def open(self, **how):
        return self.enterContext(RawSocket.upgraded(self.echo, **{"path": "/", "protocols": None, **how}))

    def assert_echoes(self, raw, text):
        raw.send_frame(TEXT, text)
        self.assertEqual(raw.read_frame(), (TEXT, text))

    def assert_ends(self, code, *frames):
        raw = self.open()
        raw.socket.sendall(b"".join(frames))
        self.assertEqual(raw.read_end(), code)

    # --- Handshakes. ---

    def test_any_subprotocol_is_served_and_only_ours_is_named(self):
        for protocols, answer in ((None, None), ("chat", None), ("chat, quizrush.v1", "quizrush.v1")):
            with self.subTest(protocols=protocols):
                raw = self.enterContext(RawSocket(self.echo))
                status, headers = raw.upgrade(path="/", protocols=protocols)
                self.assertEqual((status, headers.get("sec-websocket-protocol")), (101, answer))
                self.assertNotIn("sec-websocket-extensions", headers)
                self.assert_echoes(raw, b"?")

    def test_another_path_or_version_is_refused(self):
        for how, status in (({"path": "/ws"}, 404), ({"path": "/", "version": "8"}, 426)):
            with self.subTest(how=how):
                self.assertEqual(self.enterContext(RawSocket(self.echo)).upgrade(**how)[0], status)

    # --- Messages. ---

    def test_every_size_comes_back(self):
        raw = self.open()
        for size in SIZES:
            with self.subTest(size=size):
                self.assert_echoes(raw, b"*" * size)

    def test_every_size_comes_back_byte_by_byte(self):
        raw = self.open()
        for size in (0, 1, 125, 126, 300):
            for byte in frame(TEXT, b"*" * size):
                raw.socket.sendall(bytes([byte]))
            self.assertEqual(raw.read_frame(), (TEXT, b"*" * size))

    def test_more_than_4096_bytes_close_with_1009(self):
        self.assert_ends(1009, frame(TEXT, b"*" * (MESSAGE_BYTES_MAX + 1)))
        self.assert_ends(1009, frame(TEXT, b"*" * 65535))
        self.assert_ends(1009, odd_frame(FINAL | TEXT, 65536, 64, b"*" * 65536))

    def test_binary_messages_close_with_1003(self):
        for payload in (b"", b"*", b"*" * 127):
            self.assert_ends(1003, frame(BINARY, payload))
        self.assert_ends(1003, frame(BINARY, b"*", False))

    def test_fragments_come_back_as_one_message(self):
        raw = self.open()
        for size in (1, 2, 64, 1000):
            pieces = [bytes([ord("a") + index % 26]) * size for index in range(4)]
            raw.socket.sendall(frame(TEXT, pieces[0], False) + b"".join(frame(0, piece, False) for piece in pieces[1:]))
            raw.send_frame(PING, b"between")
            self.assertEqual(raw.read_frame(), (PONG, b"between"))
            raw.send_frame(CONTINUATION, b"")
            self.assertEqual(raw.read_frame(), (TEXT, b"".join(pieces)))

    def test_a_thousand_messages_wait_for_who_reads_them_later(self):
        raw = self.open()
        messages = [b"%d" % index + b"*" * (index % 500) for index in range(1000)]
        raw.socket.sendall(b"".join(frame(TEXT, message) for message in messages))
        self.assertEqual([raw.read_frame() for _ in messages], [(TEXT, message) for message in messages])

    def test_a_reader_that_is_behind_is_not_read_and_loses_nothing(self):
        raw = self.open()
        message = b"*" * MESSAGE_BYTES_MAX
        text, sent = memoryview(frame(TEXT, message) * 256), 0
        raw.socket.settimeout(0.3)
        try:
            while True:  # Until nothing is taken any more: what is on its way is bounded.
                sent += raw.socket.send(text[sent % len(text):])
                self.assertLess(sent, 64 << 20)
        except TimeoutError:
            pass
        raw.socket.settimeout(10)
        for _ in range(sent // len(frame(TEXT, message))):
            self.assertEqual(raw.read_frame(), (TEXT, message))

    def test_what_one_turn_answers_comes_in_one_segment(self):
        raw = self.open()
        messages = [b"one", b"", b"three"]
        before = segments_in(raw.socket)
        raw.socket.sendall(b"".join(frame(TEXT, message) for message in messages))
        self.assertEqual([raw.read_frame() for _ in messages], [(TEXT, message) for message in messages])
        self.assertEqual(segments_in(raw.socket) - before, 1)

    # --- Pings and pongs. ---

    def test_pongs_to_a_reader_that_is_behind_come_between_whole_messages(self):
        raw = self.open()
        block = b"".join(frame(TEXT, b"%d" % index + b"*" * (60 * index)) for index in range(9)) + frame(PING, b"?")
        text, sent = memoryview(block * 64), 0
        raw.socket.settimeout(0.3)
        try:
            while True:
                sent += raw.socket.send(text[sent % len(text):])
        except TimeoutError:
            pass
        raw.socket.settimeout(10)
        texts, pongs = 0, 0
        while texts < 9 * (sent // len(block)):
            opcode, payload = raw.read_frame()
            if opcode == PONG:
                self.assertEqual(payload, b"?")
                pongs += 1
                continue
            self.assertEqual((opcode, payload), (TEXT, b"%d" % (texts % 9) + b"*" * (60 * (texts % 9))))
            texts += 1
        self.assertGreater(pongs, 0)

    def test_a_ping_of_any_size_is_answered_with_its_payload(self):
        raw = self.open()
        for size in range(CONTROL_BYTES_MAX + 1):
            payload = bytes(range(128, 128 + size))
            raw.send_frame(PING, payload)
            self.assertEqual(raw.read_frame(), (PONG, payload))
        self.assert_ends(None, odd_frame(FINAL | PING, 126, 16, b"*" * 126))

    def test_pongs_that_nobody_asked_for_are_passed_over(self):
        raw = self.open()
        for payload in (b"", b"unsolicited", b"\xff" * CONTROL_BYTES_MAX):
            raw.send_frame(PONG, payload)
            self.assert_echoes(raw, b"?")

    # --- Frames against the protocol. ---

    def test_frames_against_the_protocol_close_with_1002(self):
        for frames in ((odd_frame(FINAL | 0x40 | TEXT, 1, 7, b"*"),), (odd_frame(FINAL | 0x30 | PING, 0, 7, b""),),
                       *((frame(opcode, b""),) for opcode in (3, 4, 5, 6, 7, 0xB, 0xC, 0xD, 0xE, 0xF)),
                       (frame(PING, b"", False),), (frame(CONTINUATION, b"*"),), (frame(CONTINUATION, b"*", False),),
                       (frame(TEXT, b"*", False), frame(TEXT, b"*")), (frame(TEXT, b"*"), frame(CONTINUATION, b"*")),
                       (unmasked(TEXT, b"*"),), (unmasked(PING, b""),)):
            with self.subTest(frames=frames):
                raw = self.open()
                raw.socket.sendall(b"".join(frames))
                while (answer := raw.read_frame())[0] == TEXT:
                    continue
                self.assertEqual((answer[0], answer[1][:2]), (CLOSE, struct.pack("!H", 1002)))

    # --- Closes. ---

    def test_a_close_is_answered_with_its_code(self):
        self.assert_ends(1005, frame(CLOSE, b""))
        for code in (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999):
            for reason in (b"", b"so long", OWL * 30):
                self.assert_ends(code, frame(CLOSE, struct.pack("!H", code) + reason))

    def test_a_close_with_a_code_that_is_none_is_not_sent_back(self):
        for code in (0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999):
            self.assert_ends(1002, frame(CLOSE, struct.pack("!H", code)))
        for payload in (b"*", struct.pack("!H", 5000), struct.pack("!H", 65535), b"\x03\xe8" + OWL[:3]):
            self.assert_ends(None, frame(CLOSE, payload))

    def test_what_was_sent_before_a_close_is_answered_first(self):
        raw = self.open()
        raw.socket.sendall(frame(TEXT, b"last words"))
        self.assertEqual(raw.read_frame(), (TEXT, b"last words"))
        raw.socket.sendall(frame(CLOSE, b"\x03\xe8") + frame(TEXT, b"too late") + frame(PING, b""))
        self.assertEqual(raw.read_end(), 1000)

    # --- UTF-8. ---

    def test_text_of_any_character_comes_back_however_it_is_cut(self):
        raw = self.open()
        text = "κόσμε\0\x7f\u0080\u07ff\u0800\ud7ff\ue000\ufffd\uffff\U00010000\U0010ffff🦉".encode()
        self.assert_echoes(raw, text)
        for cut in range(len(text) + 1):
            raw.socket.sendall(frame(TEXT, text[:cut], False) + frame(CONTINUATION, text[cut:]))
            self.assertEqual(raw.read_frame(), (TEXT, text))
        for size in (127, 128, 129, 130, 131):  # A piece as libwebsockets delivers them ends within the character.
            self.assert_echoes(raw, b"*" * size + OWL)

    def test_text_that_is_not_utf8_closes_with_1007_however_it_is_cut(self):
        for wrong in (b"\x80", b"\xbf", b"\xc0\x80", b"\xc1\xbf", b"\xe0\x80\xaf", b"\xf0\x8f\xbf\xbf", b"\xf5\x80\x80\x80",
                      b"\xed\xa0\x80", b"\xed\xbf\xbf", b"\xf4\x90\x80\x80", b"\xfe", b"\xff", OWL[:1], OWL[:2], OWL[:3]):
            text = "κό".encode() + wrong
            with self.subTest(wrong=wrong):
                self.assert_ends(1007, frame(TEXT, text))
                for cut in range(len(text) + 1):
                    self.assert_ends(1007, frame(TEXT, text[:cut], False), frame(CONTINUATION, text[cut:]))

    def test_text_that_is_not_utf8_ends_before_its_message_does(self):
        for wrong in (b"\xff", b"\xf4\x90", b"\xed\xa0", b"\xe0\x80"):
            self.assert_ends(1007, frame(TEXT, "κό".encode() + wrong, False))


if __name__ == "__main__":
    unittest.main()
