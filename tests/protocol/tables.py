"""docs/conformance.md has every code and every case of protocol.md's tables of errors and of closes, and of the lists
in the sources; and the tests that it names exist, run, and speak of the code, where there is one.

    python3 tables.py ROOT
"""

import ast
import re
import sys
from pathlib import Path

SEEN_ONLY = {"1006"}  # Never on the wire, so not in the protocol's table.
REFERENCE = re.compile(r"`(\w+\.py)::(\w+)`")
UNIT_REFERENCE = re.compile(r"`(unit/(\w+)/test_(\w+)\.c)::(\w+)`")
# What a table says beside the cases.
ASIDE = re.compile(r"`retry_ms`|`message` names|try again|reconnect|drop the token|say `hello`")


def table(page, heading):
    """The rows of the first table under a heading, as cells."""
    section = page.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows[2:]]


def codes_in(cell):
    return re.findall(r"[a-z_0-9]+", cell)


def cases_in(cell):
    """The cases that a cell names: its parts, without what a client is told to do about them."""
    parts = re.split(r"[;():]|, or |, | or ", cell)
    return [part.strip() for part in parts if part.strip() and not ASIDE.search(part)]


def refusals_in_source(root):
    return set(re.findall(r'X\([A-Z_]+, "(\w+)"', (root / "include/core/refusal.h").read_text()))


def closes_in_source(root):
    """Those of the enum, and those that the edge writes as numbers."""
    members = re.search(r"enum close_code \{(.*?)\n\};", (root / "include/shard/shard_io.h").read_text(), re.DOTALL)
    edge = "".join(path.read_text() for path in sorted((root / "src/edge").glob("*.c")))
    written = re.findall(r"ws_close_(?:now|later)\([^;]*?conn, (\d{4})", edge)
    return set(re.findall(r"= (\d{4})", members[1])) | set(written)


class Suite:
    """The integration tests: what each test's code says, with all that it uses of these files."""

    def __init__(self, folder):
        self.registered = set(re.findall(r"^add_integration_test\((\w+)", (folder / "CMakeLists.txt").read_text(), re.M))
        self.tests, self.parts = {}, {}
        for path in sorted(folder.glob("*.py")):
            self._read(path)

    def _read(self, path):
        tree = ast.parse(path.read_text())
        for node in tree.body:
            if isinstance(node, ast.Assign):
                for name in ast.walk(node.targets[0]):
                    if isinstance(name, ast.Name):
                        self.parts.setdefault(name.id, []).append(node)
            elif isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
                self.parts.setdefault(node.name, []).append(node)
            if isinstance(node, ast.ClassDef):
                self._read_class(path, node)

    def _read_class(self, path, node):
        for inner in node.body:
            if not isinstance(inner, (ast.FunctionDef, ast.AsyncFunctionDef)):
                continue
            if path.name.startswith("test_") and inner.name.startswith("test_"):
                self.tests[path.name, inner.name] = inner
            elif path.name.startswith("test_"):  # A helper of the tests, called by its name.
                self.parts.setdefault(inner.name, []).append(inner)

    def runs(self, file):
        return file.removeprefix("test_").removesuffix(".py") in self.registered

    def constants(self, file, test):
        """Every string and number in the test and in what it uses."""
        found, met, left = set(), set(), [self.tests[file, test]]
        while left:
            for node in ast.walk(left.pop()):
                if isinstance(node, ast.Constant):
                    found.add(str(node.value))
                name = node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else None
                if name in self.parts and name not in met:
                    met.add(name)
                    left += self.parts[name]
        return found


def check_test(file, test, suite):
    if (file, test) not in suite.tests:
        yield f"there is no {file}::{test}"
    elif not suite.runs(file):
        yield f"{file} is no test of tests/integration/CMakeLists.txt"


def check_rows(heading, rows, suite):
    for row in rows:
        code, case, tests = codes_in(row[0])[0], row[1], REFERENCE.findall(row[2])
        where = f"conformance.md, {heading}: {code}, {case}"
        if not tests:
            yield f"{where}: names no test"
        for file, test in tests:
            problems = list(check_test(file, test, suite))
            yield from (f"{where}: {problem}" for problem in problems)
            if not problems and not any(re.search(rf"\b{code}\b", text) for text in suite.constants(file, test)):
                yield f"{where}: {file}::{test} does not speak of {code}"


def check_unit_test(root, path, layer, subject, test):
    file = root / "tests" / path
    if not file.exists() or not re.search(rf"\b\w+_test\w*\(\s*{test}\b", file.read_text()):
        yield f"there is no {path}::{test}"
    registered = (root / "tests/unit" / layer / "CMakeLists.txt").read_text()
    if not re.search(rf"[/ (]{subject}[ )]", registered):
        yield f"{path} is no test of its CMakeLists.txt"


def check_claims(root, rows, suite):
    for claim, cell in rows:
        tests, unit_tests = REFERENCE.findall(cell), UNIT_REFERENCE.findall(cell)
        if not tests and not unit_tests or len(tests) + len(unit_tests) != cell.count("::"):
            yield f"conformance.md, Secrets: {claim}: names something that is no test"
        for test in tests:
            yield from (f"conformance.md, Secrets: {problem}" for problem in check_test(*test, suite))
        for test in unit_tests:
            yield from (f"conformance.md, Secrets: {problem}" for problem in check_unit_test(root, *test))


def check_codes(heading, rows, protocol, sources):
    """protocol: code to the cases that its row names."""
    listed = {codes_in(row[0])[0] for row in rows}
    for code in sorted((listed ^ set(protocol)) - SEEN_ONLY):
        yield f"{heading}: {code} is in one of protocol.md and conformance.md"
    for code in sorted(sources - listed):
        yield f"{heading}: {code} is in the sources and not in conformance.md"
    for codes, case in sorted({(tuple(codes), case) for codes, cases in protocol.values() for case in cases}):
        if not any(codes_in(row[0])[0] in codes and case in row[1] for row in rows):
            yield f"{heading}: conformance.md has no row of {', '.join(codes)} with protocol.md's \"{case}\""


def find_problems(root):
    protocol = (root / "docs/protocol.md").read_text()
    conformance = (root / "docs/conformance.md").read_text()
    suite = Suite(root / "tests/integration")
    for heading, sources in (("Errors", refusals_in_source(root)), ("Close codes", closes_in_source(root))):
        rows = table(conformance, heading)
        named = {}
        for row in table(protocol, heading):
            for code in codes_in(row[0]):
                named[code] = codes_in(row[0]), cases_in(row[1])
        yield from check_codes(heading, rows, named, sources)
        yield from check_rows(heading, rows, suite)
    yield from check_claims(root, table(conformance, "Secrets"), suite)


if __name__ == "__main__":
    problems = list(find_problems(Path(sys.argv[1])))
    print(*problems, sep="\n", file=sys.stderr)
    sys.exit(1 if problems else 0)
