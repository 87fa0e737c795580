"""Two things that a test needs to put a player where it wants one: on this shard or the other, and while its result is
being saved."""

import asyncio
import contextlib
import fcntl

from client import DEADLINE_S, Client
from daemon import wait_until


class Shards:
    """Which source ports lead to which shard. The kernel chooses the worker by the connection's addresses and ports,
    the same one each time. Of all that tells the shards apart only sums are published, so each port sends another power
    of two of messages, and a shard's sum says which ports it has."""

    AT_ONCE = 8
    PORTS = range(20000, 30000)  # Below those that the kernel gives out.

    def __init__(self, daemon):
        self.daemon = daemon
        self.ports = [asyncio.Queue() for _ in self._messages()]

    @classmethod
    async def found(cls, daemon):
        shards = cls(daemon)
        untried = iter(cls.PORTS)
        while min(ports.qsize() for ports in shards.ports) < 2:
            await shards._sort(untried)
        return shards

    async def _sort(self, untried):
        clients = {}
        while len(clients) < self.AT_ONCE:
            port = next(untried)
            with contextlib.suppress(OSError):
                clients[port] = await Client.connect(self.daemon, source_port=port)
        before = await asyncio.to_thread(self._messages)
        for index, client in enumerate(clients.values()):
            for _ in range(1 << index):
                await client.refused("not_authenticated", "ping", at=1)

        def counted():
            sums = [int(now - then) for now, then in zip(self._messages(), before)]
            return sums if sum(sums) == (1 << self.AT_ONCE) - 1 else None

        sums = await asyncio.to_thread(wait_until, counted, DEADLINE_S, "the messages are counted")
        for index, (port, client) in enumerate(clients.items()):
            await client.reset()
            (shard,) = (shard for shard, total in enumerate(sums) if total >> index & 1)
            self.ports[shard].put_nowait(port)

    def _messages(self):
        return self.daemon.metrics().values("quizrush_messages_in_total")

    @contextlib.asynccontextmanager
    async def two(self, first):
        """A port that leads to shard `first`, and one to the other."""
        ports = [await self.ports[shard].get() for shard in (0, 1)]
        try:
            yield ports[first], ports[1 - first]
        finally:
            for shard, port in enumerate(ports):
                self.ports[shard].put_nowait(port)


class SlowDisk:
    """Keeps the disk of a daemon that is not started yet from syncing while anybody wants it to: no result counts
    meanwhile."""

    def __init__(self, daemon):
        path = daemon.directory / "disk"
        path.touch()
        self.lock = path.open()
        daemon.preload("QUIZRUSH_SLOW_DISK_LIBRARY", QUIZRUSH_DISK=str(path))
        self.holders = 0

    def hold(self):
        self.holders += 1
        if self.holders == 1:
            fcntl.flock(self.lock, fcntl.LOCK_EX)

    def let_go(self):
        self.holders -= 1
        if self.holders == 0:
            fcntl.flock(self.lock, fcntl.LOCK_UN)
