"""Players who are far away: a delay line between network namespaces, over IPv4 and IPv6.

    with DelayLine(delays_ms=[20, 200]) as line:      # Round trips, one per player.
        line.run_in_server(argv)                      # A subprocess.Popen.
        line.run_in(0, argv)                          # In the first player's namespace.
        line.server_address(socket.AF_INET6)          # Where every player reaches the server.

The server and each player have a network namespace of their own. A player's is joined to the server's by two TUN
devices, and a process of its own carries packets between them, each after half the round trip: what the kernel measures
(TCP_INFO) and what a ping measures is that delay, as on a real network.

The namespaces have no names: open descriptors and the processes inside hold them, so that whatever ends the test, they
and their devices end with it. Needs root, /dev/net/tun and iproute2; without them it raises DelayLineError.
"""

import collections
import contextlib
import ctypes
import fcntl
import os
import select
import shutil
import socket
import struct
import subprocess
import sys
import threading
import time

TUN_PATH = "/dev/net/tun"
TUNSETIFF = 0x400454CA
IFF_TUN, IFF_NO_PI = 0x0001, 0x1000
CLONE_NEWNET = 0x40000000
PACKET_BYTES_MAX = 65536
READY_LINE = "ready"
STOP_DEADLINE_S = 10

SERVER_ADDRESSES = {socket.AF_INET: "10.77.0.1", socket.AF_INET6: "fd77::1"}
PREFIX_BITS = {socket.AF_INET: 32, socket.AF_INET6: 128}
FAMILIES = tuple(SERVER_ADDRESSES)


class DelayLineError(AssertionError):
    """The delay line cannot be built here; the message says what is missing."""


def player_address(index, family):
    return f"10.77.1.{index + 1}" if family == socket.AF_INET else f"fd77::1:{index + 1:x}"


# --- Namespaces. ---


def _libc_call(name, *arguments):
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, name)(*arguments) != 0:
        error = ctypes.get_errno()
        raise DelayLineError(f"{name}: {os.strerror(error)}; the delay line needs root and network namespaces")


def _own_namespace():
    """A descriptor of the calling thread's network namespace."""
    return os.open(f"/proc/self/task/{threading.get_native_id()}/ns/net", os.O_RDONLY | os.O_CLOEXEC)


@contextlib.contextmanager
def _entered(namespace):
    """The calling thread is in this namespace: so are the sockets it makes and the processes it starts."""
    home = _own_namespace()
    try:
        _libc_call("setns", namespace, CLONE_NEWNET)
        try:
            yield
        finally:
            _libc_call("setns", home, CLONE_NEWNET)
    finally:
        os.close(home)


def _new_namespace():
    home = _own_namespace()
    try:
        _libc_call("unshare", CLONE_NEWNET)
        try:
            namespace = _own_namespace()
            _ip("link", "set", "lo", "up")
        finally:
            _libc_call("setns", home, CLONE_NEWNET)
    finally:
        os.close(home)
    return namespace


def _ip(*arguments):
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise DelayLineError(f"ip {' '.join(arguments)}: {done.stderr.strip()}")


def _open_tun(name):
    """A TUN device in the calling thread's namespace; it lives as long as its descriptor."""
    tun = os.open(TUN_PATH, os.O_RDWR | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TUN | IFF_NO_PI))
    except OSError as error:
        os.close(tun)
        raise DelayLineError(f"{TUN_PATH}: {error.strerror}") from error
    return tun


def _require_tools():
    if os.geteuid() != 0:
        raise DelayLineError("the delay line needs root: it makes network namespaces and TUN devices")
    if not os.path.exists(TUN_PATH):
        raise DelayLineError(f"the delay line needs {TUN_PATH} (modprobe tun)")
    if shutil.which("ip") is None:
        raise DelayLineError("the delay line needs ip (package iproute2)")


# --- The line. ---


class DelayLine:
    def __init__(self, delays_ms):
        self.delays_ms = list(delays_ms)
        self._server = None
        self._players = []
        self._tuns = []
        self._forwarder = None
        self._processes = []

    def __enter__(self):
        _require_tools()
        try:
            self._build()
        except BaseException:
            self._destroy()
            raise
        return self

    def __exit__(self, *_):
        self._destroy()

    def server_address(self, family):
        return SERVER_ADDRESSES[family]

    def in_server(self):
        """with line.in_server(): the thread is where the server is."""
        return _entered(self._server)

    def run_in_server(self, argv, **popen):
        return self._run(self._server, argv, popen)

    def run_in(self, index, argv, **popen):
        """A subprocess.Popen in this player's namespace; what still runs at the end is killed."""
        return self._run(self._players[index], argv, popen)

    def _run(self, namespace, argv, popen):
        with _entered(namespace):
            process = subprocess.Popen([str(argument) for argument in argv], **popen)
        self._processes.append(process)
        return process

    def _build(self):
        self._server = _new_namespace()
        with _entered(self._server):
            for family in FAMILIES:
                _add_address("lo", SERVER_ADDRESSES[family], family)
        for index in range(len(self.delays_ms)):
            self._players.append(_new_namespace())
            self._join(index)
        self._start_forwarder()

    def _join(self, index):
        name = f"player{index}"
        with _entered(self._server):
            self._tuns.append(_open_tun(name))
            _ip("link", "set", name, "up")
            for family in FAMILIES:
                _add_route(name, player_address(index, family), family)
        with _entered(self._players[index]):
            self._tuns.append(_open_tun("server"))
            _ip("link", "set", "server", "up")
            for family in FAMILIES:
                _add_address("server", player_address(index, family), family)
                _add_route("server", SERVER_ADDRESSES[family], family)

    def _start_forwarder(self):
        arguments = [str(value) for value in [*self._tuns, *self.delays_ms]]
        self._forwarder = subprocess.Popen(
            [sys.executable, __file__, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True, pass_fds=self._tuns,
        )
        if self._forwarder.stdout.readline().strip() != READY_LINE:
            raise DelayLineError("the delay line's forwarder did not start")

    def _destroy(self):
        for process in self._processes:
            if process.poll() is None:
                process.kill()
            process.wait(STOP_DEADLINE_S)
        if self._forwarder is not None:
            self._forwarder.stdin.close()  # It ends with its input.
            try:
                self._forwarder.wait(STOP_DEADLINE_S)
            except subprocess.TimeoutExpired:
                self._forwarder.kill()
                self._forwarder.wait()
            self._forwarder.stdout.close()
        for descriptor in [*self._tuns, *self._players, self._server]:
            if descriptor is not None:
                os.close(descriptor)
        self._processes, self._forwarder = [], None
        self._tuns, self._players, self._server = [], [], None


def _add_address(device, address, family):
    without_probing = ["nodad"] if family == socket.AF_INET6 else []
    _ip("address", "add", f"{address}/{PREFIX_BITS[family]}", "dev", device, *without_probing)


def _add_route(device, address, family):
    version = "-6" if family == socket.AF_INET6 else "-4"
    _ip(version, "route", "add", f"{address}/{PREFIX_BITS[family]}", "dev", device)


# --- The forwarder: a process of its own, so that no test's work delays a packet. ---


class Wire:
    """One direction: packets leave in the order they came, each after the same delay."""

    def __init__(self, source, target, delay_s):
        self.source, self.target, self.delay_s = source, target, delay_s
        self.packets = collections.deque()

    def take(self):
        with contextlib.suppress(BlockingIOError):
            while True:
                packet = os.read(self.source, PACKET_BYTES_MAX)
                self.packets.append((time.monotonic() + self.delay_s, packet))

    def give(self, now):
        while self.packets and self.packets[0][0] <= now:
            _, packet = self.packets.popleft()
            with contextlib.suppress(OSError):  # A full device loses packets, as networks do.
                os.write(self.target, packet)

    def wait_s(self, now):
        return max(0.0, self.packets[0][0] - now) if self.packets else None


def forward(tuns, delays_ms):
    """Carries packets until standard input ends. `tuns`: the server's and the player's end, for each player."""
    wires = []
    for index, delay_ms in enumerate(delays_ms):
        ends = tuns[2 * index : 2 * index + 2]
        wires += [Wire(*ends, delay_ms / 2000), Wire(*reversed(ends), delay_ms / 2000)]
    by_source = {wire.source: wire for wire in wires}
    print(READY_LINE, flush=True)
    while True:
        now = time.monotonic()
        waits = [wait for wait in (wire.wait_s(now) for wire in wires) if wait is not None]
        readable, _, _ = select.select([sys.stdin, *by_source], [], [], min(waits, default=None))
        if sys.stdin in readable:
            return
        for source in readable:
            by_source[source].take()
        now = time.monotonic()
        for wire in wires:
            wire.give(now)


def main(arguments):
    numbers = [int(argument) for argument in arguments]
    players = len(numbers) // 3  # Two descriptors and a delay each.
    forward(numbers[: 2 * players], numbers[2 * players :])


if __name__ == "__main__":
    main(sys.argv[1:])
