"""WebSocket bytes by hand: for what no client library would send."""

import base64
import os
import socket
import struct

from daemon import LOOPBACK

DEADLINE_S = 10
TEXT, BINARY, CLOSE, PING, PONG = 0x1, 0x2, 0x8, 0x9, 0xA


def frame(opcode, payload, final=True):
    """A client's frame, masked."""
    mask = os.urandom(4)
    size = len(payload)
    first = (0x80 if final else 0) | opcode
    header = struct.pack("!BB", first, 0x80 | size) if size < 126 else struct.pack("!BBH", first, 0x80 | 126, size)
    return header + mask + bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload))


class RawSocket:
    def __init__(self, daemon, host=LOOPBACK, options=()):
        """`options` are set on the socket before it connects: (level, name, value)."""
        (family, *_, address), *_ = socket.getaddrinfo(host, daemon.port, type=socket.SOCK_STREAM)
        self.socket = socket.socket(family)
        self.socket.settimeout(DEADLINE_S)
        for option in options:
            self.socket.setsockopt(*option)
        self.socket.connect(address)
        self.port = daemon.port
        self.pending = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def upgrade(self, **request):
        """(status, headers in lower case) of a handshake."""
        self.request_upgrade(**request)
        return self.read_upgrade()

    def request_upgrade(self, version="13", protocols="quizrush.v1", path="/ws", trailing=b"", more=()):
        """`trailing` goes behind it in the same segment, `more` are header lines."""
        key = base64.b64encode(os.urandom(16)).decode()
        lines = [
            f"GET {path} HTTP/1.1",
            f"Host: {LOOPBACK}:{self.port}",
            "Upgrade: websocket",
            "Connection: Upgrade",
            f"Sec-WebSocket-Key: {key}",
            f"Sec-WebSocket-Version: {version}",
            *more,
        ]
        if protocols is not None:
            lines.append(f"Sec-WebSocket-Protocol: {protocols}")
        self.socket.sendall(("\r\n".join(lines) + "\r\n\r\n").encode() + trailing)

    def read_upgrade(self):
        head = self._read_until(b"\r\n\r\n").decode("latin-1").split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in head[1:] if ": " in line)
        return int(head[0].split(" ")[1]), headers

    def send_frame(self, opcode, payload, final=True):
        self.socket.sendall(frame(opcode, payload, final))

    def read_frame(self):
        """(opcode, payload) of the next frame; the server's are not masked."""
        first, second = self._read(2)
        assert second & 0x80 == 0, "the server masks"
        size = second & 0x7F
        if size == 126:
            (size,) = struct.unpack("!H", self._read(2))
        return first & 0x0F, self._read(size)

    def read_text(self):
        """The next text; pings of the server are passed over."""
        while True:
            opcode, payload = self.read_frame()
            if opcode == TEXT:
                return payload.decode()
            assert opcode != CLOSE, payload

    def read_close_code(self):
        """Reads up to the close frame and returns its code."""
        while True:
            opcode, payload = self.read_frame()
            if opcode == CLOSE:
                return struct.unpack("!H", payload[:2])[0]

    def _read(self, size):
        while len(self.pending) < size:
            self._receive()
        taken, self.pending = self.pending[:size], self.pending[size:]
        return taken

    def _read_until(self, end):
        while end not in self.pending:
            self._receive()
        at = self.pending.index(end) + len(end)
        taken, self.pending = self.pending[:at], self.pending[at:]
        return taken

    def _receive(self):
        more = self.socket.recv(65536)
        if not more:
            raise ConnectionError(f"the server ended the connection; left over: {self.pending!r}")
        self.pending += more
