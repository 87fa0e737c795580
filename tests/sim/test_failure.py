"""A broken rule is reported with its seed, step, events and command, and a smaller world is found that breaks it too.

--break-at breaks a rule on purpose: when so many matches of a world have ended.
"""

import re

from simulator import expect, run

BROKEN = ("--seed", "1", "--count", "50", "--break-at", "20")

status, _, err = run(*BROKEN)
expect(status == 1, f"a broken rule ends with {status}")
told = re.search(r"^seed (\d+), step (\d+): broken on purpose: match 20 has ended$", err, re.MULTILINE)
expect(told is not None, f"no rule in the report: {err[-500:]}")
expect(f"\nagain: quizrush-sim --seed {told.group(1)} --trace\n" in err, "no command in the report")
expect(len(re.findall(r"^ *\d+ +\d+ ", err, re.MULTILINE)) > 20, "no events in the report")

status, _, again = run("--seed", told.group(1), "--break-at", "20", "--trace")
expect(status == 1 and told.group(0) in again, "the command does not repeat it")

status, out, err = run(*BROKEN, "--shrink")
smallest = re.search(r"^the smallest of \d+: quizrush-sim (.*)$", out, re.MULTILINE)
expect(status == 1 and smallest is not None, f"nothing smaller was found: {out[-500:]}")
expect("--without habits,faults,drain" in smallest.group(1), f"not small: {smallest.group(1)}")
expect("--shards 1" in smallest.group(1), f"not small: {smallest.group(1)}")
status, _, err = run(*smallest.group(1).split(), "--break-at", "20")
expect(status == 1 and "broken on purpose: match 20 has ended" in err, "the smaller one is whole")

status, out, err = run("--seed", "1", "--count", "2", "--shrink")
expect(status == 0 and "no rule was broken" in err, "what is whole is not shrunk")
