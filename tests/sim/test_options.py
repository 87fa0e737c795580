"""A wrong command line is refused, and the message says what is wrong."""

from simulator import expect, run

REFUSED = [
    (["--count", "0"], '--count is "0", and not a number from 1 to'),
    (["--seed", "-1"], '--seed is "-1", and not a number'),
    (["--seed", "12x"], '--seed is "12x", and not a number'),
    (["--seed", "18446744073709551616"], "--seed is"),
    (["--players", "65"], "not a number from 1 to 64"),
    (["--shards", "5"], "not a number from 1 to 4"),
    (["--without", "drop,gravity"], 'there is no habit or fault "gravity"'),
    (["--steps"], 'a value is missing behind "--steps"'),
    (["--loud"], 'there is no option "--loud"'),
    (["7"], '"7" is no option'),
]

for arguments, message in REFUSED:
    status, out, err = run(*arguments)
    expect(status == 2 and message in err and out == "", f"{arguments}: {status}, {out}{err}")

status, out, _ = run("--help")
expect(status == 0 and "--shrink" in out and "save_lost" in out, "--help helps")
status, out, _ = run("--version")
expect(status == 0 and out.startswith("quizrush-sim "), "--version tells the version")
status, out, _ = run("--seed", "3", "--steps", "50", "--trace")
expect(status == 0 and " says " in out and " told " in out, "--trace prints what is said and told")
status, out, _ = run("--seed", "3", "--count", "50", "--matches", "30")
worlds, matches = int(out.split("worlds ")[-1].split()[0]), int(out.split("matches ")[1].split()[0])
expect(status == 0 and worlds < 50 and matches >= 30, "--matches stops behind enough of them")
