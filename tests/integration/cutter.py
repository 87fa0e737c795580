"""A TCP proxy in front of the daemon that cuts connections off, as networks do.

    async with Cutter(daemon) as cutter:
        cutter.url                 # For the client.
        cutter.cut()               # Resets what is open, on both sides.
        cutter.lose_replies(2)     # The next two connections end when the server answers, and the client hears nothing.
"""

import asyncio
import contextlib
import socket
import struct

from daemon import LOOPBACK

CHUNK = 65536
HANDSHAKE_END = b"\r\n\r\n"


def _reset(writer):
    if writer.is_closing():
        return
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


class Cutter:
    def __init__(self, daemon):
        self.daemon = daemon
        self.accepted = 0
        self._server = None
        self._writers = set()
        self._losses = 0

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._serve, LOOPBACK, 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_):
        self.cut()
        self._server.close()
        await self._server.wait_closed()

    @property
    def url(self):
        return f"ws://{LOOPBACK}:{self.port}/ws"

    def cut(self):
        for writer in list(self._writers):
            _reset(writer)

    def lose_replies(self, count):
        self._losses = count

    async def _serve(self, reader, writer):
        self.accepted += 1
        is_deaf = self._losses > 0
        self._losses -= is_deaf
        upstream, upward = await asyncio.open_connection(LOOPBACK, self.daemon.port)
        ends = (writer, upward)
        self._writers.update(ends)
        with contextlib.suppress(OSError):
            await asyncio.gather(self._carry(reader, upward), self._carry(upstream, writer, is_deaf))
        for end in ends:
            _reset(end)
        self._writers.difference_update(ends)

    @staticmethod
    async def _carry(reader, writer, is_deaf=False):
        """Until one side ends, which ends the other too. A deaf client gets its handshake, and nothing behind it."""
        is_shaken = False
        while chunk := await reader.read(CHUNK):
            if is_deaf and is_shaken:
                break
            is_shaken = is_shaken or HANDSHAKE_END in chunk
            writer.write(chunk)
            await writer.drain()
        raise ConnectionResetError
