"""Frames and messages that no client would send: each has its answer, and nobody else is touched."""

import json
import socket
import struct
import unittest

from daemon import QUICK, Daemon
from honest import HonestPair
from raw import CLOSE, PING, PONG, TEXT, RawSocket, frame, handshake, odd_frame, unmasked

CONTINUATION = 0x0
FINAL = 0x80
MESSAGE_BYTES_MAX = 4096
CONTROL_BYTES_MAX = 125
# As many messages as a test likes.
UNTHROTTLED = {**QUICK, "message_rate": 1000, "message_burst": 10000}

HELLO = json.dumps({"type": "hello", "id": 1, "name": "Åda 🦉"}, ensure_ascii=False).encode()
PING_REQUEST = b'{"type":"ping","id":2,"at":7}'


def close(code, reason=b""):
    return frame(CLOSE, struct.pack("!H", code) + reason)


def fragments(pieces, opcode=TEXT):
    last = len(pieces) - 1
    return [frame(CONTINUATION if index else opcode, piece, index == last) for index, piece in enumerate(pieces)]


class HostileFramesTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.daemon = cls.enterClassContext(Daemon(**UNTHROTTLED))
        cls.before = cls.daemon.baseline()
        cls.addClassCleanup(cls.nothing_is_left)
        cls.enterClassContext(HonestPair(cls.daemon))

    @classmethod
    def nothing_is_left(cls):
        cls.daemon.wait_for_metrics(
            lambda metrics: metrics.in_use() == cls.before, f"everything is given back: {cls.before}"
        )

    def wait_for_tickets(self, condition):
        self.daemon.wait_for_metrics(
            lambda metrics: condition(metrics.sum("quizrush_ticket_slots")), "tickets", deadline_s=3
        )

    def upgraded(self):
        return self.enterContext(RawSocket.upgraded(self.daemon))

    def greeted(self):
        raw = self.upgraded()
        raw.send_frame(TEXT, HELLO)
        self.assert_welcome(raw)
        return raw

    def assert_welcome(self, raw):
        welcome = json.loads(raw.read_text())
        self.assertEqual((welcome["type"], welcome["name"]), ("welcome", "Åda 🦉"))

    def assert_alive(self, raw):
        raw.send_frame(TEXT, PING_REQUEST)
        pong = json.loads(raw.read_text())
        self.assertEqual((pong["type"], pong["at"]), ("pong", 7))

    def assert_ends(self, code, *frames, greeted=False):
        """What is sent ends the connection with this code; None: without a close frame."""
        raw = self.greeted() if greeted else self.upgraded()
        raw.socket.sendall(b"".join(frames))
        self.assertEqual(raw.read_end(), code)

    # --- Frames that RFC 6455 does not allow. ---

    def test_reserved_bits_close_with_1002(self):
        for bits in (0x40, 0x20, 0x10, 0x70):
            with self.subTest(bits=bits):
                self.assert_ends(1002, odd_frame(FINAL | bits | TEXT, len(HELLO), 7, HELLO))
                self.assert_ends(1002, odd_frame(FINAL | bits | PING, 0, 7, b""), greeted=True)

    def test_reserved_opcodes_close_with_1002(self):
        for opcode in (3, 4, 5, 6, 7, 0xB, 0xC, 0xD, 0xE, 0xF):
            with self.subTest(opcode=opcode):
                self.assert_ends(1002, odd_frame(FINAL | opcode, 0, 7, b""))
                self.assert_ends(1002, frame(TEXT, b"{", False), frame(opcode, b""))

    def test_fragments_out_of_order_close_with_1002(self):
        self.assert_ends(1002, frame(CONTINUATION, HELLO))
        self.assert_ends(1002, frame(CONTINUATION, HELLO, False))
        self.assert_ends(1002, frame(TEXT, b"{", False), frame(TEXT, b"}"))
        self.assert_ends(1002, frame(CONTINUATION, b"}"), greeted=True)

    def test_control_frames_in_fragments_close_with_1002(self):
        for opcode in (CLOSE, PING, PONG):
            with self.subTest(opcode=opcode):
                self.assert_ends(1002, frame(opcode, b"", False), frame(CONTINUATION, b""))

    def test_control_frames_of_more_than_125_bytes_end_the_connection(self):
        for opcode in (CLOSE, PING, PONG):
            for bits in (16, 64):
                with self.subTest(opcode=opcode, bits=bits):
                    payload = struct.pack("!H", 1000) + bytes(CONTROL_BYTES_MAX - 1)
                    self.assert_ends(None, odd_frame(FINAL | opcode, len(payload), bits, payload))

    def test_a_length_with_its_top_bit_set_ends_the_connection(self):
        self.assert_ends(None, odd_frame(FINAL | TEXT, 2**63, 64, HELLO))

    def test_a_first_frame_that_is_not_masked_closes_with_1002(self):
        for opcode, payload in ((TEXT, HELLO), (PING, b""), (CLOSE, b"\x03\xe8"), (TEXT, b"x" * 100)):
            with self.subTest(opcode=opcode):
                self.assert_ends(1002, unmasked(opcode, payload))
                behind_the_head = self.enterContext(RawSocket.upgraded(self.daemon, trailing=unmasked(opcode, payload)))
                self.assertEqual(behind_the_head.read_end(), 1002)

    def test_a_first_frame_whose_mask_comes_later_is_waited_for(self):
        masked, bare = self.upgraded(), self.upgraded()
        for raw, first in ((masked, frame(TEXT, HELLO)), (bare, unmasked(TEXT, HELLO))):
            raw.socket.sendall(first[:1])
            self.assert_alive(self.greeted())  # Meanwhile.
            raw.socket.sendall(first[1:])
        self.assert_welcome(masked)
        self.assertEqual(bare.read_end(), 1002)

    def test_a_later_frame_that_is_not_masked_is_read_like_any_other(self):
        # What libwebsockets 4.1.6 lets through: docs/operations.md, "What is not checked".
        raw = self.greeted()
        raw.socket.sendall(unmasked(TEXT, PING_REQUEST))
        self.assertEqual(json.loads(raw.read_text())["type"], "pong")
        self.assert_alive(raw)

    # --- The peer's close. ---

    def test_a_close_is_answered_with_its_code(self):
        for code in (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999):
            with self.subTest(code=code):
                self.assert_ends(code, close(code, b"so long"), greeted=True)
        self.assert_ends(1005, frame(CLOSE, b""))

    def test_a_close_with_a_code_that_is_none_is_answered_with_1002(self):
        for code in (0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999):
            with self.subTest(code=code):
                self.assert_ends(1002, close(code))

    def test_a_close_that_is_no_close_ends_the_connection(self):
        for payload in (b"\x03", struct.pack("!H", 5000), struct.pack("!H", 65535), struct.pack("!H", 1000) + b"\xff",
                        struct.pack("!H", 1000) + "Åda".encode()[:1]):
            with self.subTest(payload=payload):
                self.assert_ends(None, frame(CLOSE, payload), greeted=True)

    def test_what_comes_behind_a_close_is_not_taken(self):
        self.assert_ends(1000, close(1000), frame(TEXT, HELLO), close(1001))

    def test_a_close_in_the_middle_of_a_message_is_answered(self):
        self.assert_ends(1000, frame(TEXT, HELLO[:9], False), close(1000))

    def test_whoever_is_sent_away_is_gone_at_once_and_hears_nothing_more(self):
        broken = {"history": (frame(TEXT, b"\xff"), 1007), "arts": (frame(0xB, b""), 1002), "nature": (frame(2, b""), 1003)}
        raws = {category: self.greeted() for category in broken}
        for category, raw in raws.items():
            raw.send_frame(TEXT, json.dumps({"type": "join", "id": 3, "mode": "duel", "category": category}).encode())
            self.assertEqual(json.loads(raw.read_text())["type"], "queued")
        self.wait_for_tickets(lambda tickets: tickets >= len(raws))
        for category, raw in raws.items():
            raw.socket.sendall(broken[category][0])
            self.assertEqual(raw.read_close_code(), broken[category][1])
        # The connections are still there, and a ticket would be due each second.
        self.wait_for_tickets(lambda tickets: tickets < len(raws))
        for raw in raws.values():
            raw.socket.shutdown(socket.SHUT_WR)
            self.assertEqual(raw.read_end(), None)

    # --- Messages in pieces. ---

    def test_a_head_and_a_hello_cut_at_any_byte_are_read(self):
        text = handshake(self.daemon.port) + frame(TEXT, HELLO)
        raws = [self.enterContext(RawSocket(self.daemon)) for _ in range(1, len(text))]
        for cut, raw in enumerate(raws, 1):
            raw.socket.sendall(text[:cut])
        self.assert_alive(self.greeted())  # Meanwhile the first halves are there.
        for cut, raw in enumerate(raws, 1):
            raw.socket.sendall(text[cut:])
        for raw in raws:
            self.assertEqual(raw.read_head()[0], 101)
            self.assert_welcome(raw)
            raw.socket.close()

    def test_a_message_in_segments_of_one_byte_is_read(self):
        raw = self.upgraded()
        for byte in frame(TEXT, HELLO):
            raw.socket.sendall(bytes([byte]))
        self.assert_welcome(raw)

    def test_a_message_in_fragments_of_one_byte_is_read(self):
        raw = self.upgraded()
        raw.socket.sendall(b"".join(fragments([bytes([byte]) for byte in HELLO])))
        self.assert_welcome(raw)

    def test_a_message_in_two_fragments_is_read_wherever_it_is_cut(self):
        raw = self.greeted()
        for cut in range(len(PING_REQUEST) + 1):
            raw.socket.sendall(b"".join(fragments([PING_REQUEST[:cut], PING_REQUEST[cut:]])))
            self.assertEqual(json.loads(raw.read_text())["type"], "pong")

    def test_control_frames_may_stand_between_fragments(self):
        raw = self.upgraded()
        pieces = fragments([bytes([byte]) for byte in HELLO])
        raw.socket.sendall(b"".join(piece + frame(PONG, b"\xff\x80") for piece in pieces))
        self.assert_welcome(raw)
        self.assertEqual(raw.read_frame()[0], PING)  # The server's, behind welcome.
        for size in range(CONTROL_BYTES_MAX + 1):
            payload = b"\xff" * size
            raw.socket.sendall(frame(TEXT, PING_REQUEST[:9], False) + frame(PING, payload))
            self.assertEqual(raw.read_frame(), (PONG, payload))
            raw.socket.sendall(frame(CONTINUATION, PING_REQUEST[9:]))
            self.assertEqual(json.loads(raw.read_text())["type"], "pong")

    def test_empty_fragments_add_nothing(self):
        raw = self.upgraded()
        raw.socket.sendall(b"".join(fragments([b"", b"", HELLO[:5], b"", HELLO[5:], b""])))
        self.assert_welcome(raw)

    def test_lengths_longer_than_they_need_be_are_read(self):
        raw = self.greeted()
        for bits in (16, 64):
            raw.socket.sendall(odd_frame(FINAL | TEXT, len(PING_REQUEST), bits, PING_REQUEST))
            self.assertEqual(json.loads(raw.read_text())["type"], "pong")
            raw.socket.sendall(odd_frame(FINAL | TEXT, 0, bits, b""))
            self.assertEqual(json.loads(raw.read_text())["code"], "bad_json")

    def test_4096_bytes_in_fragments_of_one_are_read_and_one_more_closes_with_1009(self):
        text = PING_REQUEST.ljust(MESSAGE_BYTES_MAX)
        raw = self.greeted()
        raw.socket.sendall(b"".join(fragments([bytes([byte]) for byte in text])))
        self.assertEqual(json.loads(raw.read_text())["type"], "pong")
        raw.socket.sendall(b"".join(fragments([bytes([byte]) for byte in text + b" "])))
        self.assertEqual(raw.read_end(), 1009)

    def test_a_length_beyond_all_memory_closes_with_1009_once_4097_bytes_are_there(self):
        raw = self.greeted()
        raw.socket.sendall(odd_frame(FINAL | TEXT, 2**63 - 1, 64, b"x" * MESSAGE_BYTES_MAX))
        self.assert_alive(self.greeted())
        raw.socket.sendall(b"x")
        self.assertEqual(raw.read_end(), 1009)

    # --- UTF-8. ---

    def test_text_that_is_not_utf8_closes_with_1007_however_it_is_cut(self):
        owl = "🦉".encode()
        for text in (b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xf0\x80\x80\x80", owl[:3] + b"x",
                     b"\x80", owl + owl[1:]):
            for cut in range(len(text) + 1):
                with self.subTest(text=text, cut=cut):
                    self.assert_ends(1007, *fragments([b'{"' + text[:cut], text[cut:] + b'"}']))

    def test_text_that_ends_within_a_character_closes_with_1007(self):
        for size in (1, 2, 3):
            text = b'"' + "🦉".encode()[:size]
            with self.subTest(size=size):
                self.assert_ends(1007, frame(TEXT, text))
                self.assert_ends(1007, *fragments([text, b""]))

    def test_text_that_is_not_utf8_ends_before_its_message_does(self):
        self.assert_ends(1007, frame(TEXT, b'{"\xff', False))

    def test_pongs_may_hold_what_is_not_utf8(self):
        raw = self.greeted()
        for payload in (b"\x80\0\0\0", b"\xff" * CONTROL_BYTES_MAX, b""):
            raw.send_frame(PONG, payload)
            self.assert_alive(raw)

    # --- JSON. ---

    def test_json_beyond_its_bounds_is_refused_and_changes_nothing(self):
        raw = self.greeted()
        deepest = "[" * 7 + "]" * 7
        cases = (
            ("[" * 4000, "bad_json"),
            ('{"a":' * 800, "bad_json"),
            (f'{{"type":"ping","id":2,"at":1,"x":{deepest}}}', None),
            (f'{{"type":"ping","id":2,"at":1,"x":[{deepest}]}}', "bad_json"),
            ('{"type":"ping","id":2,"at":1,"x":' + "9" * 63 + "}", None),
            ('{"type":"ping","id":2,"at":1,"x":' + "9" * 64 + "}", "bad_json"),
            ('{"type":"ping","id":2,"at":1e999}', "bad_message"), ('{"type":"ping","id":1e999,"at":1}', "bad_message"),
            ('{"type":"ping","id":' + "9" * 60 + ',"at":1}', "bad_message"),
            ('{"type":"ping","id":2,"at":"a\0b"}', "bad_json"), ('\0{"type":"ping","id":2,"at":1}', "bad_json"),
            ('{"type":"ping","id":2,"at":1}\0', "bad_json"), ('{"type":"ping","id":2,"at":"\\u0000"}', "bad_message"),
            ('{"type":"ping","id":2,"at":"\\ud800"}', "bad_json"),
        )
        for text, code in cases:
            with self.subTest(text=text[:60]):
                raw.send_frame(TEXT, text.encode())
                reply = json.loads(raw.read_text())
                self.assertEqual((reply["type"], reply.get("code")), ("error" if code else "pong", code))
        self.assert_alive(raw)

    def test_of_a_key_that_appears_twice_the_first_counts(self):
        raw = self.greeted()
        raw.send_frame(TEXT, b'{"type":"ping","type":"leave","id":2,"id":3,"at":4,"at":5}')
        pong = json.loads(raw.read_text())
        self.assertEqual((pong["type"], pong["id"], pong["at"]), ("pong", 2, 4))

    # --- Many at once. ---

    def test_two_hundred_messages_in_one_segment_with_the_head_are_all_answered(self):
        pings = [b'{"type":"ping","id":%d,"at":%d}' % (id_, id_) for id_ in range(2, 202)]
        text = b"".join(frame(TEXT, message) for message in [HELLO, *pings])
        raw = self.enterContext(RawSocket.upgraded(self.daemon, trailing=text))
        self.assert_welcome(raw)
        replies = [json.loads(raw.read_text()) for _ in pings]
        self.assertEqual([(reply["type"], reply["id"]) for reply in replies], [("pong", id_) for id_ in range(2, 202)])


if __name__ == "__main__":
    unittest.main()
