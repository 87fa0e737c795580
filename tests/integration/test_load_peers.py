"""quizrush-load against servers that are not quizrushd: one that only echoes, and one that answers from a can."""

import asyncio
import contextlib
import json
import subprocess
import threading
import unittest

import websockets

from daemon import LOOPBACK, PATIENCE, load_binary

DEADLINE_S = 30 * PATIENCE
ROUNDS = 2

# Constant ids, no `seq`, no `answered`, one question for everybody: enough to be played with.
MATCH = {"type": "match", "match": "01a0c450-6c00-7b69-88f1-f643f1d76abc", "rounds": ROUNDS, "players": [{}, {}]}
ROUND = {"type": "round", "question": "?", "choices": ["a", "b"], "time_ms": 1000}
ACCEPTED = {"type": "accepted", "id": 3, "choice": 0, "at_ms": 0, "dup": False}
REVEAL = {"type": "reveal", "correct": 0, "results": [{"choice": 0}, {"choice": 0}]}


async def echo(socket):
    async for text in socket:
        await socket.send(text)


async def canned_duel(socket):
    answers = 0
    async for text in socket:
        kind = json.loads(text)["type"]
        replies = {
            "hello": [{"type": "welcome", "id": 1}],
            "join": [MATCH, ROUND],
            "answer": [ACCEPTED, REVEAL],
        }.get(kind, [])
        if kind == "answer":
            answers += 1
            replies.append(ROUND if answers % ROUNDS else {"type": "end", "reason": "finished"})
        for reply in replies:
            await socket.send(json.dumps(reply))


class Peer:
    """with Peer(handler) as peer: a WebSocket server in a thread of its own, without the subprotocol."""

    def __init__(self, handler):
        self._handler, self._loop, self._is_up = handler, asyncio.new_event_loop(), threading.Event()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=[self._serve()])

    async def _serve(self):
        self._over = asyncio.Event()
        async with websockets.serve(self._serve_one, LOOPBACK, 0, compression=None) as server:
            self.port = server.sockets[0].getsockname()[1]
            self._is_up.set()
            await self._over.wait()

    async def _serve_one(self, socket):
        with contextlib.suppress(websockets.ConnectionClosed):
            await self._handler(socket)

    def __enter__(self):
        self._thread.start()
        self._is_up.wait(DEADLINE_S)
        return self

    def __exit__(self, *_):
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(DEADLINE_S)
        self._loop.close()


def load(port, *options):
    """The figures of a run that was in order."""
    result = subprocess.run(
        [load_binary(), "--host", LOOPBACK, "--port", str(port), "--json", *options],
        capture_output=True, text=True, timeout=DEADLINE_S, check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return json.loads(result.stdout)


class LoadPeersTest(unittest.TestCase):
    def test_an_echo_gives_one_pong_for_each_ping(self):
        with Peer(echo) as peer:
            figures = load(peer.port, "--echo", "--players", "0", "--idle", "5", "--ping-rate", "20", "--seconds", "1")
        self.assertEqual((figures["errors"], figures["deviations"], figures["withheld"]), (0, 0, 0))
        self.assertEqual((figures["opened"], figures["closed"]), (5, 5))
        # The last ones may be under way when the time is over.
        self.assertGreater(figures["pings_sent"], 50)
        self.assertGreater(figures["latency_us"]["pong"]["count"], figures["pings_sent"] - 10)
        self.assertGreater(figures["latency_us"]["connect"]["p50"], 0)

    def test_players_come_from_as_many_addresses_as_are_wanted(self):
        seen = []

        async def note(socket):
            seen.append(socket.remote_address[0])
            await echo(socket)

        with Peer(note) as peer:
            load(peer.port, "--echo", "--players", "0", "--idle", "6", "--ping-rate", "1", "--seconds", "1",
                 "--sources", "3")
        self.assertEqual(sorted(seen), 2 * ["127.0.0.2"] + 2 * ["127.0.0.3"] + 2 * ["127.0.0.4"])

    def test_addresses_of_ones_own_are_for_a_server_on_this_machine(self):
        result = subprocess.run(
            [load_binary(), "--host", "::1", "--port", "1", "--sources", "3"],
            capture_output=True, text=True, timeout=DEADLINE_S, check=False,
        )
        self.assertEqual(result.returncode, 1)
        self.assertIn("--sources needs a server on 127.0.0.0/8", result.stderr)

    def test_a_canned_duel_is_played_with_a_lenient_eye(self):
        with Peer(canned_duel) as peer:
            figures = load(peer.port, "--lenient", "--players", "10", "--seconds", "2", "--think-min-ms", "1",
                           "--think-max-ms", "20")
        self.assertEqual((figures["errors"], figures["violations"], figures["closed"]), (0, 0, 10))
        self.assertGreater(figures["deviations"], 0)
        self.assertGreaterEqual(figures["matches_min"], 1)
        self.assertEqual(figures["accepted"], figures["answers"])
        self.assertEqual(figures["latency_us"]["accepted"]["count"], figures["accepted"])

    def test_a_canned_duel_does_not_pass_a_strict_eye(self):
        with Peer(canned_duel) as peer:
            result = subprocess.run(
                [load_binary(), "--port", str(peer.port), "--players", "2", "--seconds", "1"],
                capture_output=True, text=True, timeout=DEADLINE_S, check=False,
            )
        self.assertEqual(result.returncode, 1)
        self.assertIn("the subprotocol was not taken", result.stderr)


if __name__ == "__main__":
    unittest.main()
