"""Players who are lost, or sit in two places, and come back: every state times every way, as docs/protocol.md has it.

TABLE is the test: a row is what happens, a column is where the player is when it does, a cell is what must follow.
Each cell is played by its own pair: Ada, to whom it happens, and Bea, who stays and must see the same match.
"""

import asyncio
import time
import unittest

from client import Client
from daemon import QUICK, Daemon, slowed
from returning import (
    ANSWERED, ASKING, ENDED, IDLE, QUEUED, REVEALING, SAVING, STARTING, STATES, Cell, Event, Place,
)
from shards import SlowDisk

# --- The table. ---

TAB, DROP, RESET, SILENCE, STALL = (Event(loss) for loss in ("none", "drop", "reset", "silence", "stall"))


def row(event, outcomes, **differences):
    """One outcome for each state, in their order."""
    assert len(outcomes.split()) == len(STATES), outcomes
    return event._replace(**differences), dict(zip(STATES, outcomes.split()))


# place     the place in the queue is there, with its age, and nobody was matched meanwhile
# back      the other saw away and back; what was missed, the clock, and the match goes on
# missed    what was missed, up to end
# seen      nothing of the match: its end is known
# fresh     the player, and nothing to go on with
# expired   resume_expired, and another hello works
# moved     the older is told and closed, nobody else notices, and it goes on here
# refused   bad_message, nobody is disturbed, and another hello works
# lost      the place in the queue is not there any more
# forfeit   the other saw away and gone, and has won; the match can be seen to its end
# finished  the other saw away, and the match ends as it was; it can be seen to its end
TABLE = (
    #            queued   starting asking   answered reveal   saving   ended    idle
    row(DROP,    "place    back     back     back     back     back     missed   expired"),
    row(DROP,    "place    back     back     back     back     back     missed   expired", other_shard=True),
    row(DROP,    "place    back     back     back     back     back     missed   expired", last="none"),
    row(DROP,    "place    back     back     back     back     back     seen     expired", last="exact"),
    row(DROP,    "place    refused  refused  refused  refused  refused  refused  expired", last="ahead"),
    row(DROP,    "place    back     back     back     back     back     missed   fresh", proof="token"),
    row(DROP,    "place    back     back     back     back     back     missed   fresh", proof="dead session and token"),
    row(DROP,    "lost     forfeit  forfeit  forfeit  forfeit  finished missed   expired", when="late"),
    row(DROP,    "fresh    forfeit  forfeit  forfeit  forfeit  finished missed   fresh", when="late", proof="token"),
    row(DROP,    "expired  expired  expired  expired  expired  expired  expired  expired", when="too late"),
    row(RESET,   "place    back     back     back     back     back     missed   expired"),
    row(SILENCE, "place    back     back     back     back     back     missed   expired"),
    row(STALL,   "moved    moved    moved    moved    moved    moved    missed   moved"),
    row(TAB,     "moved    moved    moved    moved    moved    moved    missed   moved"),
    row(TAB,     "moved    moved    moved    moved    moved    moved    missed   moved", other_shard=True),
    row(TAB,     "moved    moved    moved    moved    moved    moved    missed   moved", last="none"),
    row(TAB,     "moved    moved    moved    moved    moved    moved    missed   moved", last="0"),
    row(TAB,     "moved    moved    moved    moved    moved    moved    seen     moved", last="exact"),
    row(TAB,     "moved    moved    moved    moved    moved    moved    missed   moved", last="other match"),
    row(TAB,     "moved    refused  refused  refused  refused  refused  refused  moved", last="ahead"),
    row(TAB,     "moved    moved    moved    moved    moved    moved    missed   moved", proof="token"),
    row(TAB,     "moved    moved    moved    moved    moved    moved    missed   moved", proof="token", other_shard=True),
    row(TAB,     "moved    moved    moved    moved    moved    moved    missed   moved", proof="dead session and token"),
    row(TAB,     "refused  refused  refused  refused  refused  refused  refused  refused", proof="session and other's token"),
)

# --- The daemons: each state lasts as long as is needed to come back to it. ---

COMMON = {**QUICK, "match_rounds": 2, "reconnect_grace_ms": 1000, "ended_keep_ms": 4000,
          "ping_ms": 1000, "match_ping_ms": 500, "message_rate": 1000, "message_burst": 10000, "max_connections": 600,
          "hello_timeout_ms": 30000}
PLACES = (
    ((QUEUED,), {"reconnect_grace_ms": 2500}),
    ((STARTING, IDLE), {"match_start_ms": 3000}),
    ((ASKING, ANSWERED, REVEALING, ENDED), {"match_start_ms": 0, "round_time_ms": 4000, "reveal_time_ms": 2000}),
    ((SAVING,), {"match_start_ms": 0, "match_rounds": 1, "reveal_time_ms": 0}),
)


class ComingBackTest(unittest.IsolatedAsyncioTestCase):
    async def test_every_state_times_every_way_to_be_lost_and_to_come_back(self):
        began_at = time.monotonic()
        daemons = [Daemon(**slowed({**COMMON, **settings})) for _, settings in PLACES]
        disks = [SlowDisk(daemon) for daemon in daemons]
        for daemon in daemons:
            self.enterContext(daemon)
        places = await asyncio.gather(*map(Place.opened, daemons, disks))
        cells = []
        for (states, _), place in zip(PLACES, places):
            for state in states:
                for event, outcomes in TABLE:
                    cells.append(Cell(place, state, event, outcomes[state], len(cells)))
        problems = await asyncio.gather(*(cell.run() for cell in cells), return_exceptions=True)
        for cell, problem in zip(cells, problems):
            with self.subTest(cell.name):
                if problem is not None:
                    raise problem
        failed = sum(problem is not None for problem in problems)
        print(f"coming back: {len(TABLE)} rows, {len(cells)} cells, {failed} failed, "
              f"{time.monotonic() - began_at:.1f} s")


class SilenceTest(unittest.IsolatedAsyncioTestCase):
    async def test_who_was_silent_in_the_queue_for_longer_than_a_match_would_allow_is_not_lost_when_it_begins(self):
        # Silence is 62.5 s long in the queue and 1.25 s in a match.
        with Daemon(**{**QUICK, "match_ping_ms": 500}) as daemon:
            ada, bea = await Client.greeted(daemon, "Ada"), await Client.greeted(daemon, "Bea")
            await ada.join()
            while (await ada.expect("ticket"))["waited_ms"] < 1500:
                continue
            await bea.join()
            for client in (ada, bea):
                await client.expect("match")
                await client.expect("round")
            for client in (ada, bea):
                await client.close()


if __name__ == "__main__":
    unittest.main()
