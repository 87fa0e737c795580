"""WebSocket bytes by hand: for what no client library would send."""

import base64
import os
import socket
import struct

from daemon import LOOPBACK, PATIENCE

DEADLINE_S = 10 * PATIENCE
TEXT, BINARY, CLOSE, PING, PONG = 0x1, 0x2, 0x8, 0x9, 0xA


def frame(opcode, payload, final=True):
    """A client's frame, masked."""
    mask = os.urandom(4)
    size = len(payload)
    first = (0x80 if final else 0) | opcode
    header = struct.pack("!BB", first, 0x80 | size) if size < 126 else struct.pack("!BBH", first, 0x80 | 126, size)
    return header + mask + bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload))


def odd_frame(first, size, bits, payload, is_masked=True):
    """A frame with this first byte and its size written in so many bits, shortest or not; masked with zeros."""
    mask_bit = 0x80 if is_masked else 0
    short = {7: size, 16: 126, 64: 127}[bits]
    length = {7: b"", 16: struct.pack("!H", size & 0xFFFF), 64: struct.pack("!Q", size)}[bits]
    return bytes([first, mask_bit | short]) + length + (bytes(4) if is_masked else b"") + payload


def unmasked(opcode, payload):
    return odd_frame(0x80 | opcode, len(payload), 7, payload, is_masked=False)


def handshake(port, version="13", protocols="quizrush.v1", path="/ws", more=()):
    """The head of one; `more` are header lines."""
    lines = [
        f"GET {path} HTTP/1.1",
        f"Host: {LOOPBACK}:{port}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}",
        f"Sec-WebSocket-Version: {version}",
        *more,
    ]
    if protocols is not None:
        lines.append(f"Sec-WebSocket-Protocol: {protocols}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


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

    @classmethod
    def upgraded(cls, daemon, **request):
        raw = cls(daemon)
        status, _ = raw.upgrade(**request)
        assert status == 101, status
        return raw

    def upgrade(self, **request):
        """(status, headers in lower case) of a handshake."""
        self.request_upgrade(**request)
        return self.read_head()

    def request_upgrade(self, trailing=b"", **request):
        """A handshake(); `trailing` goes behind it in the same segment."""
        self.socket.sendall(handshake(self.port, **request) + trailing)

    def read_head(self):
        """(status, headers in lower case) of an HTTP response."""
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

    def read_end(self):
        """Reads up to the end of the connection: the close code, or None where there was no close frame."""
        code = None
        try:
            while True:
                opcode, payload = self.read_frame()
                assert code is None, f"behind the close frame came {opcode}: {payload}"
                if opcode == CLOSE:
                    code = struct.unpack("!H", payload[:2])[0] if payload else 1005
                    self.socket.shutdown(socket.SHUT_WR)
        except ConnectionError:
            return code

    def reset(self):
        """Ends the connection by RST, whatever was under way."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

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
