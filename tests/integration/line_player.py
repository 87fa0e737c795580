"""A player at the end of a delay line: plays one duel, and answers each round the same time after it has come.

    line_player.py HOST PORT NAME [--react-ms N] [--hold-pongs-ms N] [--header LINE]

Prints each receipt as a line of JSON. With --hold-pongs-ms it answers pings that much later than it could.
"""

import argparse
import collections
import json
import select
import socket
import time

from raw import CLOSE, PING, PONG, TEXT, RawSocket, frame

DEADLINE_S = 60


class LinePlayer(RawSocket):
    def __init__(self, arguments):
        super().__init__(arguments, arguments.host)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.arguments = arguments
        self.next_id = 0
        self.due = collections.deque()  # (when, frame): at most an answer and some pongs.
        self.is_over = False

    def play(self):
        status, _ = self.upgrade(more=self.arguments.header)
        assert status == 101, status
        self.request("hello", name=self.arguments.name)
        ends_at = time.monotonic() + DEADLINE_S
        while not self.is_over:
            now = time.monotonic()
            assert now < ends_at, "the duel does not end"
            self.send_what_is_due(now)
            next_at = min([when for when, _ in self.due], default=ends_at)
            if self.has_frame() or select.select([self.socket], [], [], max(0.0, next_at - now))[0]:
                self.take_frame(*self.read_frame())

    def has_frame(self):
        """Whether the next frame begins among the bytes read already; the rest of it is on its way then."""
        return len(self.pending) > 0

    def request(self, kind, after_ms=0, **fields):
        self.next_id += 1
        text = json.dumps({"type": kind, "id": self.next_id, **fields})
        self.send_after(after_ms, frame(TEXT, text.encode()))

    def send_after(self, after_ms, data):
        self.due.append((time.monotonic() + after_ms / 1000, data))

    def send_what_is_due(self, now):
        for item in [item for item in self.due if item[0] <= now]:
            self.due.remove(item)
            self.socket.sendall(item[1])

    def take_frame(self, opcode, payload):
        if opcode == PING:
            self.send_after(self.arguments.hold_pongs_ms, frame(PONG, payload))
        if opcode == TEXT:
            self.take_message(json.loads(payload))
        assert opcode != CLOSE, payload

    def take_message(self, message):
        kind = message["type"]
        if kind == "welcome":
            self.request("join", mode="duel")
        if kind == "round":
            self.request("answer", self.arguments.react_ms, round=message["round"], choice=0)
        if kind == "accepted":
            print(json.dumps(message), flush=True)
        assert kind != "error", message
        self.is_over = kind == "end"


def read_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("host")
    parser.add_argument("port", type=int)
    parser.add_argument("name")
    parser.add_argument("--react-ms", type=int, default=400)
    parser.add_argument("--hold-pongs-ms", type=int, default=0)
    parser.add_argument("--header", action="append", default=[])
    return parser.parse_args()


if __name__ == "__main__":
    with LinePlayer(read_arguments()) as player:
        player.play()
