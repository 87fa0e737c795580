"""A client in a process of its own, to be killed: joins, and prints the type of each message that it gets.

    lone_player.py ws://127.0.0.1:8080/ws NAME
"""

import asyncio
import json
import sys

import websockets


async def play(url, name):
    async with websockets.connect(url, subprotocols=["quizrush.v1"], compression=None) as socket:
        await socket.send(json.dumps({"type": "hello", "id": 1, "name": name}))
        async for text in socket:
            message = json.loads(text)
            print(message["type"], flush=True)
            if message["type"] == "welcome":
                await socket.send(json.dumps({"type": "join", "id": 2, "mode": "duel"}))


asyncio.run(play(*sys.argv[1:]))
