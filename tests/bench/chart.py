"""Pictures for the report: lines over two axes, as SVG that is readable on light and dark paper."""

import math
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 640, 320
LEFT, RIGHT, TOP, BOTTOM = 64, 120, 36, 44
TICKS = 5
COLOURS = ("#2f6fde", "#d1603d", "#3f9142", "#8e5bc7", "#b08900")

STYLE = """<style>
text{font:12px sans-serif;fill:#1f2328}.axis,.grid{stroke:#57606a;fill:none}.grid{opacity:.25}
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.axis,.grid{stroke:#9198a1}}
</style>"""


def head(width, height):
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">'


def number(value):
    return f"{value:.3g}" if value < 1000 else f"{value:,.0f}"


def round_ticks(low, high):
    """Round numbers from below `low` to above `high`."""
    step = 10 ** math.floor(math.log10(max(high - low, 1e-9) / TICKS))
    step *= next(factor for factor in (1, 2, 5, 10) if (high - low) / (step * factor) <= TICKS)
    ticks = [step * math.floor(low / step)]
    while ticks[-1] < high:
        ticks.append(ticks[-1] + step)
    return ticks


def decades(low, high):
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    return [10.0 ** power for power in range(first, max(last, first + 1) + 1)]


class Axis:
    def __init__(self, values, begin, end, is_log=False):
        self.is_log = is_log
        self.ticks = decades(min(values), max(values)) if is_log else round_ticks(0, max(values) or 1)
        self.begin, self.end = begin, end

    def at(self, value):
        scale = math.log10 if self.is_log else float
        low, high = scale(self.ticks[0]), scale(self.ticks[-1])
        return self.begin + (scale(value) - low) / (high - low) * (self.end - self.begin)


def draw_lines(title, x_name, y_name, series, is_log=False):
    """`series` is {name: [[x, y], ...]}; with `is_log` y is, and above 0."""
    points = [point for line in series.values() for point in line]
    x = Axis([point[0] for point in points], LEFT, WIDTH - RIGHT)
    y = Axis([point[1] for point in points], HEIGHT - BOTTOM, TOP, is_log)
    parts = [head(WIDTH, HEIGHT), STYLE, f'<text x="{LEFT}" y="20">{escape(title)}</text>']
    for tick in y.ticks:
        parts.append(f'<path class="grid" d="M{LEFT} {y.at(tick):.1f}H{WIDTH - RIGHT}"/>'
                     f'<text x="{LEFT - 6}" y="{y.at(tick) + 4:.1f}" text-anchor="end">{number(tick)}</text>')
    for tick in x.ticks:
        parts.append(f'<text x="{x.at(tick):.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{number(tick)}</text>')
    parts.append(f'<path class="axis" d="M{LEFT} {TOP}V{HEIGHT - BOTTOM}H{WIDTH - RIGHT}"/>'
                 f'<text x="{WIDTH - RIGHT}" y="{HEIGHT - 8}" text-anchor="end">{escape(x_name)}</text>'
                 f'<text x="{LEFT - 6}" y="{TOP - 6}" text-anchor="end">{escape(y_name)}</text>')
    for index, (name, line) in enumerate(series.items()):
        colour = COLOURS[index % len(COLOURS)]
        path = "L".join(f"{x.at(a):.1f} {y.at(b):.1f}" for a, b in line)
        dots = "".join(f'<circle cx="{x.at(a):.1f}" cy="{y.at(b):.1f}" r="3" fill="{colour}"/>' for a, b in line)
        parts.append(f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="2"/>{dots}'
                     f'<text x="{x.at(line[-1][0]) + 8:.1f}" y="{y.at(line[-1][1]) + 4:.1f}">{escape(name)}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"
