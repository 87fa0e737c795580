"""The whole server with PostgreSQL as its store, and what can happen to that while they play.

scripts/soak-postgres is the long form: all faults, and how long answers wait meanwhile."""

import os
import subprocess
import unittest

from daemon import Daemon
from postgres_faults import SETTINGS, Stage, compare, is_well, killed, play, start_load, told_by

PLAYERS = 60
SECONDS = 3


class PostgresTest(unittest.TestCase):
    def test_it_says_what_to_run_where_there_is_no_schema(self):
        with Stage(is_migrated=False) as stage:
            daemon = Daemon(store=stage.uri())
            self.addCleanup(daemon.destroy)
            with self.assertRaisesRegex(AssertionError, "run quizrushd --migrate"):
                daemon.start()

    def test_a_server_that_is_killed_in_between_has_every_result_once(self):
        with Stage() as stage:
            seen = play(stage, killed, 1, PLAYERS, SECONDS, look=lambda daemon: self.assert_recomputed(stage, daemon),
                        store_timeout_ms=1000)
        self.assertEqual(seen.wrongs, [])
        self.assertGreater(seen.told, PLAYERS / 2)
        self.assertGreater(seen.waiting_max, 0)
        self.assertLessEqual({"store_connection_lost", "store_connected"}, seen.events)

    def test_a_start_without_the_server_loses_nothing_of_the_journal(self):
        with Stage() as stage:
            daemon = Daemon(**SETTINGS, store=stage.uri())
            self.addCleanup(daemon.destroy)
            daemon.start()
            load = start_load(daemon, PLAYERS, SECONDS)
            daemon.wait_for_metrics(lambda metrics: metrics.sum("quizrush_store_saved_total") >= 5, "some are saved")
            stage.server.kill()
            daemon.wait_for_metrics(lambda metrics: metrics.sum("quizrush_journal_results_waiting") > 20, "some wait")
            daemon.process.kill()
            daemon.wait()
            load.communicate()  # Nobody is left to play with.
            with self.assertRaisesRegex(AssertionError, "start again when the database answers"):
                daemon.start()
            self.assertEqual(daemon.process.returncode, 1)
            stage.server.start()
            daemon.start()
            daemon.wait_for_metrics(is_well, "all is well again")
            told, wrongs = told_by(daemon)
            self.assertEqual(wrongs + compare(stage, told), [])
            self.assertGreater(len(told), 20)
            daemon.stop()

    def assert_recomputed(self, stage, daemon):
        """What is stored of the last match is what its answers make of it; so says the journal of this run, too."""
        match = stage.server.ask("SELECT match FROM matches ORDER BY match DESC LIMIT 1")
        for data_dir, source in ((daemon.settings["data_dir"], "journal"), (stage.server.directory, "store")):
            done = subprocess.run([os.environ["QUIZRUSHCTL"], "--data-dir", data_dir, "--store", stage.uri(),
                                   "replay", "--verify", match], capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            self.assertIn(f"from the {source}", done.stdout)


if __name__ == "__main__":
    unittest.main()
