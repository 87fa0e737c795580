"""What the tests of quizrush-sim share: running it."""

import subprocess
import sys

SIM = sys.argv[1]


def run(*arguments):
    """Exit status, standard output, standard error."""
    done = subprocess.run([SIM, *arguments], capture_output=True, text=True, timeout=200, check=False)
    return done.returncode, done.stdout, done.stderr


def expect(claim, what):
    if not claim:
        sys.exit(f"FAILED: {what}")
