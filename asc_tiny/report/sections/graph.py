"""The graph, drawn: operators from top to bottom, and what goes between them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from markupsafe import Markup

from asc_tiny.report.blocks import Block, Section
from asc_tiny.report.subject import Network, Subject
from asc_tiny.tflite import ops
from asc_tiny.tflite.graph import ABSENT, Graph, Operator
from asc_tiny.tflite.ops import Family
from asc_tiny.util.blocks import Drawing, Paragraph, text
from asc_tiny.util.console_text import shape

MOST_DRAWN = 300
_LEFT, _WIDTH, _HEIGHT, _PITCH, _LANE = 4, 316, 26, 40, 12
_FAMILY_COLORS = {
    Family.WEIGHTED: "#4477aa",
    Family.RECURRENT: "#aa3377",
    Family.WINDOW: "#228833",
    Family.REDUCTION: "#228833",
    Family.BINARY: "#ee6677",
    Family.UNARY: "#ccbb44",
}
_OTHER = "#999999"


def section(subject: Subject) -> Section:
    """Return a drawing of each network."""
    blocks: list[Block] = [
        Paragraph(
            "Operators run from top to bottom, each with the shape and the type of what it makes. "
            "Lines at the right go past operators, as in residual connections. The mark's color "
            "says what an operator does: products with learnt weights blue, recurrent layers "
            "purple, pooling and means green, arithmetic of two tensors red, functions of one "
            "tensor yellow, what moves data gray."
        )
    ]
    for network in subject.networks:
        graph = network.model_file.graph
        blocks.append(Drawing(f"{network.name}: graph", draw(network)))
        if len(graph.operators) > MOST_DRAWN:
            count = f"{MOST_DRAWN} of {len(graph.operators):,}"
            blocks.append(Paragraph(f"The drawing has the first {count} operators."))
    return Section("graph", "Graph", blocks)


def draw(network: Network) -> Markup:
    """Return a network as SVG."""
    graph = network.model_file.graph
    operators = graph.operators[:MOST_DRAWN]
    edges = list(_edges(graph, operators))
    skips = _lanes([(first, last) for first, last in edges if last > first + 1])
    lanes = 1 + max((lane for *_, lane in skips), default=-1)
    width = _LEFT + _WIDTH + _LANE * (lanes + 1)
    height = (len(operators) + 2) * _PITCH
    title = f"{network.name}: {len(graph.operators)} operators"
    parts = [
        Markup(
            '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {} {}" width="{}" height="{}" '
            'class="graph" role="img" aria-label="{}">'
        ).format(width, height, width, height, title)
    ]
    parts.append(
        _box(0, _OTHER, f"input {_tensors(graph, graph.inputs)}", "what the network takes")
    )
    for place, operator in enumerate(operators):
        made = f"{operator.title} {_tensors(graph, operator.outputs)}"
        parts.append(_box(place + 1, _color(operator.name), made, _details(graph, operator)))
    parts.append(
        _box(len(operators) + 1, _OTHER, f"output {_tensors(graph, graph.outputs)}", "its results")
    )
    parts += [_line(first) for first, last in sorted(set(edges)) if last == first + 1]
    parts += [_skip(first, last, lane) for first, last, lane in skips]
    parts.append(Markup("</svg>"))
    return Markup("\n").join(parts)


def _color(name: str) -> str:
    return _FAMILY_COLORS.get(ops.row(name).family, _OTHER)


def _tensors(graph: Graph, indices: Sequence[int]) -> str:
    shown = [graph.tensor(each) for each in indices[:2] if each != ABSENT]
    listed = ", ".join(f"{shape(each.shape) or 'scalar'} {each.dtype}" for each in shown)
    return f"{listed}, ..." if len(indices) > 2 else listed


def _details(graph: Graph, operator: Operator) -> str:
    names = ", ".join(graph.tensor(each).name for each in operator.outputs)
    options = ", ".join(f"{key} {value}" for key, value in sorted(operator.options.items()))
    return f"{text(names)} ({text(options, 300)})" if options else text(names)


def _box(row: int, color: str, content: str, details: str) -> Markup:
    return Markup(
        '<g><title>{}</title><rect class="box" x="{}" y="{}" width="{}" height="{}" rx="4"/>'
        '<rect x="{}" y="{}" width="6" height="{}" fill="{}"/><text x="{}" y="{}">{}</text></g>'
    ).format(
        details,
        *(_LEFT, _top(row), _WIDTH, _HEIGHT),
        *(_LEFT, _top(row), _HEIGHT, color),
        *(_LEFT + 14, _top(row) + 17, text(content, 40)),
    )


def _top(row: int) -> int:
    return 4 + row * _PITCH


def _line(row: int) -> Markup:
    """Return the line from a row to the one below."""
    x, y = _LEFT + _WIDTH // 2, _top(row) + _HEIGHT
    return Markup('<path class="edge" d="M{} {}V{}"/>').format(x, y, _top(row + 1))


def _edges(graph: Graph, operators: Sequence[Operator]) -> Iterator[tuple[int, int]]:
    """Yield the rows that each activation goes between."""
    rows = dict.fromkeys(graph.inputs, 0)
    for place, operator in enumerate(operators):
        for index in dict.fromkeys(operator.inputs):
            if index in rows:
                yield rows[index], place + 1
        rows.update(dict.fromkeys(operator.outputs, place + 1))
    for index in graph.outputs:
        if index in rows:
            yield rows[index], len(operators) + 1


def _lanes(skips: Sequence[tuple[int, int]]) -> list[tuple[int, int, int]]:
    """Return each skip with the number of a lane in which it meets no other."""
    ends: list[int] = []
    found = []
    for first, last in sorted(set(skips)):
        free = (lane for lane, end in enumerate(ends) if end <= first)
        lane = next(free, len(ends))
        ends[lane : lane + 1] = [last]
        found.append((first, last, lane))
    return found


def _skip(first: int, last: int, lane: int) -> Markup:
    x, far = _LEFT + _WIDTH, _LEFT + _WIDTH + _LANE * (lane + 1)
    above, below = _top(first) + _HEIGHT - 6, _top(last) + 6
    return Markup('<path class="edge" d="M{} {}H{}V{}H{}"/>').format(x, above, far, below, x)
