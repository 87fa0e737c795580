"""What the kernel saw (strace): no byte of an `end` leaves before its result is on the disk.

The journal is mapped, so that the record itself is in no trace. One match is played at a time, and the journal is synced
for results only; so the sync of a segment that began after the match's last `round` was written is that of its result.
Every sync takes 30 ms longer than it would, so that an `end` that does not wait for it comes first.
"""

import asyncio
import contextlib
import os
import re
import shutil
import signal
import subprocess
import unittest

from client import Client, pair
from daemon import QUICK, Daemon, wait_until

MATCHES = 3
CALLS = "write,writev,send,sendto,sendmsg,fdatasync,fsync"
LINE = re.compile(r"^(\d+) +(\d+\.\d+) (.*)$")
STRACE_DEADLINE_S = 20


class Trace:
    """What strace wrote: (when it began, when it was over, text) of each call, in order of their end."""

    def __init__(self, path):
        self.calls, begun = [], {}
        for line in path.read_text(errors="replace").splitlines():
            found = LINE.match(line)
            if not found:
                continue
            thread, at, text = found[1], float(found[2]), found[3]
            if text.endswith("<unfinished ...>"):
                begun[thread] = (at, text)
            elif text.startswith("<... ") and thread in begun:
                began, first = begun.pop(thread)
                self.calls.append((began, at, first + text))
            elif took := re.search(r"<([\d.]+)>$", text):
                self.calls.append((at, at + float(took[1]), text))
            # What is left are signals, and calls that strace has begun or ended in the middle of.

    def writes_of(self, kind, match):
        wanted = f'\\"type\\":\\"{kind}\\",\\"match\\":\\"{match}\\"'
        return [call for call in self.calls if wanted in call[2]]

    def journal_syncs(self):
        return [call for call in self.calls if call[2].startswith("fdatasync(") and ".qrj>" in call[2]]


@unittest.skipIf(shutil.which("strace") is None, "strace is not installed")
class EndSyncedTest(unittest.IsolatedAsyncioTestCase):
    async def test_every_end_is_written_behind_the_sync_of_its_result(self):
        settings = {**QUICK, "match_rounds": 1, "match_start_ms": 100, "log_level": "info"}
        with Daemon(**settings) as daemon:
            path = daemon.directory / "trace"
            tracer = self.attach(daemon, path)
            (ada, bob), match = await self.begin(daemon)
            ids = [await self.play(ada, bob, match)]
            for _ in range(MATCHES - 1):
                await asyncio.gather(ada.join_when_it_may(), bob.join_when_it_may())
                matches = [await client.expect("match") for client in (ada, bob)]
                ids.append(await self.play(ada, bob, matches[0]))
            tracer.send_signal(signal.SIGINT)  # It lets go.
            tracer.wait(STRACE_DEADLINE_S)
            trace = Trace(path)
        for match in ids:
            self.assert_synced_before_the_end(trace, match)

    def attach(self, daemon, path):
        tracer = subprocess.Popen(
            ["strace", "-f", "-y", "-ttt", "-T", "-s", "4096", "-e", f"trace={CALLS}",
             "-e", "inject=fdatasync:delay_exit=30000", "-o", str(path), "-p", str(daemon.process.pid)],
            stderr=subprocess.PIPE, text=True)
        os.set_blocking(tracer.stderr.fileno(), False)
        said = []

        def is_attached():
            with contextlib.suppress(TypeError):
                said.append(tracer.stderr.read() or "")
            if tracer.poll() is not None and "ermitted" in "".join(said):
                self.skipTest("processes may not be traced here")
            return "attached" in "".join(said)

        wait_until(is_attached, STRACE_DEADLINE_S, "strace is attached")
        self.addCleanup(tracer.stderr.close)
        return tracer

    async def begin(self, daemon):
        clients, matches = await pair(daemon, "Ada", "Bob")
        for client in clients:
            self.addAsyncCleanup(client.close)
        return clients, matches[0]

    async def play(self, ada, bob, match):
        for client in (ada, bob):
            asked = await client.expect("round", match=match["match"])
            await client.answer(asked, 0)
        for client in (ada, bob):
            await client.expect("reveal", match=match["match"])
            await client.expect("end", match=match["match"], reason="finished")
        return match["match"]

    def assert_synced_before_the_end(self, trace, match):
        rounds, ends = trace.writes_of("round", match), trace.writes_of("end", match)
        self.assertEqual((len(rounds), len(ends)), (2, 2), "one for each player")
        asked_at, told_at = rounds[-1][1], ends[0][0]
        syncs = [call for call in trace.journal_syncs() if call[0] > asked_at]
        self.assertTrue(syncs, "the result was never synced")
        self.assertLess(syncs[0][1], told_at, f"{match}: an end was written at {told_at}, before {syncs[0]}")


if __name__ == "__main__":
    unittest.main()
