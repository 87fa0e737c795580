"""A flame graph as SVG: stacks of named frames, merged from their roots, drawn from the bottom upwards."""

from xml.sax.saxutils import escape

from chart import STYLE, head

WIDTH, BOX, MARGIN = 1200, 17, 30
LEAST = 0.003  # Of all: what is thinner is left out.
CHARACTER = 6.6
COLOURS = {"thread": "#8c959f", "own": "#6ea8fe", "library": "#7bc47f", "kernel": "#c3c9d0"}


class Node:
    def __init__(self, frame=("all", "thread")):
        self.frame, self.count, self.callees = frame, 0, {}

    def add(self, stack):
        self.count += 1
        if stack:
            self.callees.setdefault(stack[0], Node(stack[0])).add(stack[1:])

    def depth(self, least):
        return 1 + max((node.depth(least) for node in self.callees.values() if node.count >= least), default=0)


def box(node, total, x, level, height):
    name, kind = node.frame
    width = node.count / total * WIDTH
    y = height - MARGIN - (level + 1) * BOX
    letters = int((width - 4) / CHARACTER)
    label = name if len(name) <= letters else name[:letters - 1] + "…" if letters > 3 else ""
    text = f'<text x="{x + 2:.1f}" y="{y + 12}">{escape(label)}</text>' if label else ""
    return (f'<g><title>{escape(name)}: {100 * node.count / total:.1f} %</title><rect x="{x:.1f}" y="{y}" '
            f'width="{max(0.5, width - 0.5):.1f}" height="{BOX - 1}" fill="{COLOURS[kind]}"/>{text}</g>')


def boxes(node, total, x, level, height):
    yield box(node, total, x, level, height)
    for callee in sorted(node.callees.values(), key=lambda callee: callee.frame):
        if callee.count >= LEAST * total:
            yield from boxes(callee, total, x, level + 1, height)
            x += callee.count / total * WIDTH


def draw_flame(title, stacks):
    """`stacks` are tuples of (name, kind), callers first."""
    root = Node()
    for stack in stacks:
        root.add(stack)
    height = MARGIN + 10 + BOX * root.depth(LEAST * root.count) + MARGIN
    style = STYLE.replace("</style>", "g text{font:11px monospace;fill:#1f2328}</style>")
    parts = [head(WIDTH, height), style, f'<text x="4" y="16">{escape(title)}</text>',
             *boxes(root, root.count, 0, 0, height), "</svg>"]
    return "\n".join(parts) + "\n"
