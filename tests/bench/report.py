"""docs/benchmarks.md and its pictures, from what the benches have written; nothing is measured here."""

import json
import re
import textwrap
from pathlib import Path

from chart import draw_lines

COLUMNS = 120
# What comes first; the others follow by name.
ORDER = ("sides", "ping", "memory", "scale", "shards", "split", "iteration", "attacks", "results", "matchmaker", "flame")
BY_HAND = re.compile(r"<!-- by hand: (\S+) -->\n.*?<!-- /by hand -->\n", re.S)

HEAD = """# Benchmarks

Written by `scripts/bench` from one run on one machine: ratios hold on another one, the figures beside them do not. A
ratio is the median over the turns, with the least and the most; in a turn the sides follow each other, with the same
load. The server has one core and the load generator, `quizrush-load`, another; CPU time is that of the server's whole
process, all threads and what the kernel does for it.

    scripts/bench --peer 'COMMAND with {port}'
    scripts/bench --only NAME
    scripts/bench --report-only
"""


def wrap(text):
    return "\n".join(textwrap.wrap(text, COLUMNS, break_long_words=False, break_on_hyphens=False))


def row(cells):
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def table(columns, rows):
    return "\n".join([row(columns), "|" + "---|" * len(columns), *map(row, rows)])


def target(entry):
    bounds = [f"at most {entry['at_most']}{entry['unit']}"] if entry["at_most"] is not None else []
    bounds += [f"at least {entry['at_least']}{entry['unit']}"] if entry["at_least"] is not None else []
    return ", ".join(bounds) or "–"


def ratios(entries):
    rows = [[entry["what"], f"{entry['median']:.3g}{entry['unit']}", f"{entry['min']:.3g} to {entry['max']:.3g}",
             target(entry)] for entry in entries]
    return table(["what", "median", "least to most", "is to be"], rows)


def section(report):
    parts = [f"## {report['title']}", wrap(report["text"])]
    settings = ", ".join(f"{name} {value}" for name, value in report["settings"].items())
    parts.append(wrap(f"`scripts/bench --only {report['name']}`, turns: {report['runs']}"
                      + (f"; {settings}." if settings else ".")))
    if report["ratios"]:
        parts.append(ratios(report["ratios"]))
    for entry in report["tables"]:
        parts += [f"{entry['title']}:", table(entry["columns"], entry["rows"])]
    parts += [f"![{entry['title']}](benchmarks/{entry['file']})" for entry in report["charts"] + report.get("pictures", [])]
    return "\n\n".join(parts) + "\n"


def read_reports(directory):
    reports = [json.loads(path.read_text()) for path in sorted(directory.glob("*.json"))]
    return sorted(reports, key=lambda report: ORDER.index(report["name"]) if report["name"] in ORDER else len(ORDER))


def kept(path):
    """{section: what people have written there, with its markers}."""
    text = path.read_text() if path.exists() else ""
    return {match[1]: match[0] for match in BY_HAND.finditer(text)}


def write_report(directory, path):
    """Of every bench in `directory`; its pictures go beside it. What stands between `by hand: NAME` markers
    stays, behind that bench's section."""
    notes = kept(path)
    parts = [HEAD]
    pictures = path.parent / "benchmarks"
    pictures.mkdir(parents=True, exist_ok=True)
    for report in read_reports(directory):
        parts.append(section(report))
        if report["name"] in notes:
            parts.append(notes.pop(report["name"]))
        for entry in report["charts"]:
            lines = draw_lines(entry["title"], entry["x"], entry["y"], entry["series"], entry["is_log"])
            (pictures / entry["file"]).write_text(lines)
        for entry in report.get("pictures", []):
            (pictures / entry["file"]).write_text((Path(directory) / entry["file"]).read_text())
    path.write_text("\n".join([*parts, *notes.values()]))
