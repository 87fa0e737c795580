"""Two honest players who play match after match while others do what they like."""

import asyncio
import threading

from client import pair, play_rest

DEADLINE_S = 30
CATEGORY = "science"  # Whoever else joins in these tests takes another, or none of the queue.


class HonestPair:
    """with HonestPair(daemon): at the end they have finished every match they began, both saw the same, and nothing
    was refused."""

    def __init__(self, daemon):
        self.daemon = daemon
        self.matches = 0
        self._stop = threading.Event()
        self._failure = None
        self._thread = threading.Thread(target=self._run)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, kind, value, traceback):
        self._stop.set()
        self._thread.join(DEADLINE_S)
        if kind is None:
            assert not self._thread.is_alive(), "the honest players hang"
            if self._failure is not None:
                raise self._failure
            assert self.matches > 0

    def _run(self):
        try:
            asyncio.run(self._play())
        except BaseException as failure:  # pylint: disable=broad-except
            self._failure = failure

    async def _play(self):
        clients, matches = await pair(self.daemon, "Honest Ada", "Honest Bob", category=CATEGORY)
        while True:
            ends = await play_rest(clients, matches[0])
            assert [end["reason"] for end in ends] == ["finished"] * 2, ends
            self.matches += 1
            if self._stop.is_set():
                break
            for client in clients:
                await client.join_when_it_may(category=CATEGORY)
            matches = [await client.expect("match") for client in clients]
        ada, bob = clients
        assert ada.sequence() == bob.sequence()
        for client in clients:
            refused = [message for message in client.messages if message.get("code") not in (None, "rate_limited")]
            assert not refused, refused
            await client.close()
