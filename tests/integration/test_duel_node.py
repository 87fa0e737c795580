"""Two clients that share no code play each other: Node's `ws` and python3-websockets."""

import asyncio
import json
import os
import unittest
from pathlib import Path

from client import Client, play_rest
from daemon import QUICK, Daemon

# Where player.mjs lies beside the packages that it needs.
PLAYER = Path(os.environ.get("QUIZRUSH_NODE_DIR", Path(__file__).parent)) / "player.mjs"
DEADLINE_S = 40


class NodeDuelTest(unittest.IsolatedAsyncioTestCase):
    async def test_a_node_client_and_a_python_client_play_to_the_end(self):
        with Daemon(**QUICK) as daemon:
            python = await Client.greeted(daemon, "Python")
            await python.join()
            node = await asyncio.create_subprocess_exec(
                "node", PLAYER, daemon.url, "Node", stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
            )
            try:
                match = await python.expect("match")
                end = (await play_rest([python], match))[0]
                output, errors = await asyncio.wait_for(node.communicate(), DEADLINE_S)
            finally:
                if node.returncode is None:
                    node.kill()
                    await node.wait()
            self.assertEqual(node.returncode, 0, errors.decode())
            await python.close()

            texts = output.decode().splitlines()
            self.assertEqual([text for text in texts if "seq" in json.loads(text)], python.sequence())
            self.assertEqual(end["reason"], "finished")
            self.assertEqual(sorted(entrant["name"] for entrant in match["players"]), ["Node", "Python"])


if __name__ == "__main__":
    unittest.main()
