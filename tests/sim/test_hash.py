"""The same seeds give the same events: twice in one process, in two, and in every build."""

import re

from simulator import expect, run

WORLDS = ("--seed", "1", "--count", "12")
# Of these worlds, with gcc as with clang, optimised or not, with sanitizers or without. It changes with whatever changes
# what players are told, or what is drawn.
HASH = "0a6a5056140b1ca8"


def hash_of(*arguments):
    status, out, err = run(*arguments)
    expect(status == 0, f"{arguments} ended with {status}: {err[-2000:]}")
    return re.search(r"^hash=([0-9a-f]{16})$", out, re.MULTILINE).group(1)


expect(hash_of(*WORLDS, "--repeat", "2") == hash_of(*WORLDS), "two processes have two hashes")
expect(hash_of("--seed", "2", "--count", "12") != hash_of(*WORLDS), "other seeds have the same hash")
expect(hash_of(*WORLDS) == HASH, f"the hash is {hash_of(*WORLDS)}, and here stands {HASH}")
