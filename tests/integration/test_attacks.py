"""Players beside two hundred who mean harm: nobody sees an error, and what the server holds stays within its bounds."""

import json
import os
import subprocess
import unittest

from daemon import LOOPBACK, PATIENCE, QUICK, Daemon, load_binary

PLAYERS, ATTACKERS = 20, 200
# So few places that the half-open ones are more.
HALF_OPEN_MAX = 64
SETTINGS = {**QUICK, "log_level": "info", "round_time_ms": 1000, "hello_timeout_ms": 1000, "max_connections": 500,
            "max_half_open": HALF_OPEN_MAX}


class Attack:
    """tests/bench/attack.c, until it is ended."""

    def __init__(self, daemon, kind):
        self.process = subprocess.Popen(
            [os.environ["QUIZRUSH_ATTACK"], "-k", kind, "-n", str(ATTACKERS), "-p", str(daemon.port)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )

    def await_ready(self):
        line = self.process.stdout.readline()
        assert line == "ready\n", line

    def cut_all_off(self):
        self.process.stdin.write("c")
        self.process.stdin.flush()

    def end(self):
        """Its figures."""
        return json.loads(self.process.communicate()[0].splitlines()[-1])


class AttacksTest(unittest.TestCase):
    def play(self, daemon):
        """Every player plays a duel, and sees no error."""
        result = subprocess.run(
            [load_binary(), "--host", LOOPBACK, "--port", str(daemon.port), "--players", str(PLAYERS), "--matches", "1",
             "--seconds", "0", "--think-min-ms", "10", "--think-max-ms", "100", "--json"],
            stdout=subprocess.PIPE, text=True, timeout=60 * PATIENCE, check=False,
        )
        figures = json.loads(result.stdout)
        self.assertEqual((result.returncode, figures["violations"], figures["errors"]), (0, 0, 0), figures)
        self.assertEqual(figures["matches_min"], 1, figures)

    def run_beside(self, kind, meanwhile=lambda daemon, attack: None, is_due=lambda metrics: True):
        with Daemon(**SETTINGS) as daemon:
            before = daemon.baseline()
            attack = Attack(daemon, kind)
            if kind == "storm":
                attack.await_ready()
            meanwhile(daemon, attack)
            self.play(daemon)
            daemon.metrics()  # The operators' port answers.
            figures = attack.end()
            metrics = daemon.wait_for_metrics(is_due, f"what the {kind} attackers caused shows")
            for name in ("half_open", "ring_depth", "outbox_depth"):
                bound = metrics.values(f"quizrush_{name.replace('_depth', '')}_bound")
                for most, limit in zip(metrics.values(f"quizrush_{name}_max"), bound):
                    self.assertLessEqual(most, limit, name)
            daemon.wait_for_metrics(lambda metrics: metrics.in_use() == before, f"all is given back: {before}",
                                    deadline_s=20)
            return figures

    def test_beside_more_half_open_connections_than_there_is_room_for(self):
        figures = self.run_beside(
            "half-open", is_due=lambda metrics: metrics.sum("quizrush_refused_handshake_total") > 0)
        self.assertGreater(figures["thrown_out"], 0)

    def test_beside_players_who_read_a_byte_a_second(self):
        figures = self.run_beside("slow")
        self.assertGreaterEqual(figures["shaken"], ATTACKERS)

    def test_beside_clients_who_flood_with_long_messages(self):
        figures = self.run_beside("garbage")
        self.assertGreaterEqual(figures["shaken"], ATTACKERS)

    def test_beside_a_storm_of_players_who_were_all_cut_off(self):
        def cut_off(_, attack):
            attack.cut_all_off()
            attack.await_ready()

        figures = self.run_beside("storm", cut_off)
        self.assertEqual(figures["greeted"], 2 * ATTACKERS)


if __name__ == "__main__":
    unittest.main()
