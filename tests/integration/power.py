"""A machine that loses its power: what a start finds then is what was synced (power.c), and what of the rest chance
has brought to the disk: whole files, single pages, the names of a directory."""

import ctypes
import os
import random
import shutil
import stat
import struct
from pathlib import Path

PAGE = 4096
STATX_INO_BTIME = 0x100 | 0x800
AT_FDCWD, AT_SYMLINK_NOFOLLOW = -100, 0x100


def key_of(path):
    """As in power.c; Python tells no time of birth."""
    buffer = ctypes.create_string_buffer(256)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.statx(AT_FDCWD, os.fsencode(path), AT_SYMLINK_NOFOLLOW, STATX_INO_BTIME, buffer) != 0:
        raise OSError(ctypes.get_errno(), str(path))
    (inode,) = struct.unpack_from("Q", buffer, 32)
    seconds, nanoseconds = struct.unpack_from("qI", buffer, 80)
    return f"{inode}-{seconds}.{nanoseconds}"


class Power:
    """Before the daemon's start; cut() in place of its crash()."""

    def __init__(self, daemon, seed):
        self.daemon, self.chance = daemon, random.Random(seed)
        self.root = daemon.directory / "data"
        self.shadow = daemon.directory / "shadow"
        self.root.mkdir()
        daemon.settings["data_dir"] = self.root
        self._clear()
        daemon.preload("QUIZRUSH_POWER_LIBRARY", QUIZRUSH_DISK_ROOT=str(self.root.resolve()),
                       QUIZRUSH_DISK_SHADOW=str(self.shadow))

    def _clear(self):
        shutil.rmtree(self.shadow, ignore_errors=True)
        for name in ("i", "d"):
            (self.shadow / name).mkdir(parents=True)

    def cut(self):
        self.daemon.crash()
        rebuilt = self.root.with_name("rebuilt")
        self._build_directory((self.shadow / "root").read_text(), self.root, rebuilt)
        shutil.rmtree(self.root)
        rebuilt.rename(self.root)
        self._clear()

    # --- What is there afterwards. ---

    def _build_directory(self, key, now, to):
        """`now`: where it was, None where it is no more."""
        to.mkdir(mode=0o700)
        noted = self.shadow / "d" / key
        names = dict(reversed(line.split(" ", 1)) for line in noted.read_text().splitlines()) if noted.exists() else {}
        current = {path.name: key_of(path) for path in now.iterdir()} if now is not None else {}
        self.paths = {**getattr(self, "paths", {}), **{key: now / name for name, key in current.items()}}
        if now is not None and self.chance.random() < 0.5:
            names = current  # They came to the disk by themselves.
        for name, child in names.items():
            path = self.paths.get(child)
            is_directory = (self.shadow / "d" / child).exists() or (path is not None and path.is_dir())
            if is_directory:
                self._build_directory(child, path, to / name)
            else:
                self._build_file(child, path, to / name)

    def _build_file(self, key, now, to):
        kept = self.shadow / "i" / key
        synced = kept.read_bytes() if kept.exists() else b""
        current = now.read_bytes() if now is not None else synced
        which = self.chance.choice(("synced", "current", "pages"))
        if which == "current":
            synced = current
        elif which == "pages" and current != synced:
            size = max(len(synced), len(current))
            synced, current = synced.ljust(size, b"\0"), current.ljust(size, b"\0")
            synced = b"".join(self.chance.choice((synced, current))[at:at + PAGE] for at in range(0, size, PAGE))
        to.write_bytes(synced)
        to.chmod(stat.S_IRUSR | stat.S_IWUSR)
