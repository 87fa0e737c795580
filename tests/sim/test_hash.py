"""The same seeds give the same events: twice in one process, in two, and in every build."""

import re

from simulator import expect, run

WORLDS = ("--seed", "1", "--count", "8")
# Of these worlds, with gcc as with clang, optimised or not, with sanitizers or without. It changes with whatever changes
# what players are told, or what is drawn.
HASH = "b2b8d1bbfbed9c4a"


def hash_of(*arguments):
    status, out, err = run(*arguments)
    expect(status == 0, f"{arguments} ended with {status}: {err[-2000:]}")
    return re.search(r"^hash=([0-9a-f]{16})$", out, re.MULTILINE).group(1)


hash_here = hash_of(*WORLDS)
expect(hash_of(*WORLDS, "--repeat", "2") == hash_here, "two processes have two hashes")
expect(hash_of("--seed", "2") != hash_of("--seed", "3"), "other seeds have the same hash")
expect(hash_here == HASH, f"the hash is {hash_here}, and here stands {HASH}")
