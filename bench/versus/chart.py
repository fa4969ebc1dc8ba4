"""The comparison as an SVG chart: one bar a test, the other engine's speed being 1."""

from xml.sax.saxutils import escape

WIDTH, ROW, LEFT, RIGHT, TOP = 760, 30, 210, 90, 64


def svg(document):
    rows = document["tests"]
    most = max([1.25, *(max([row["ratio"], *row["ratio_of_pairs"]]) for row in rows)])
    scale = (WIDTH - LEFT - RIGHT) / most
    height = TOP + ROW * len(rows) + 40
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" font-family="sans-serif" font-size="13">',
             f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
             f'<text x="12" y="22" font-size="15">{escape(document["model"])}: hence against {escape(document["peer"])}</text>',
             f'<text x="12" y="42" fill="#555555">{escape(document["machine"])}, {document["threads"]} threads, medians of '
             f'{document["rounds"]} rounds</text>']
    for i, row in enumerate(rows):
        y = TOP + ROW * i
        low, high = min(row["ratio_of_pairs"]), max(row["ratio_of_pairs"])
        colour = "#2f7d4f" if row["ratio"] >= 1 else "#b5523b"
        parts += [f'<text x="{LEFT - 8}" y="{y + 17}" text-anchor="end">{escape(row["test"])}</text>',
                  f'<rect x="{LEFT}" y="{y + 5}" width="{row["ratio"] * scale:.1f}" height="16" fill="{colour}"/>',
                  f'<line x1="{LEFT + low * scale:.1f}" x2="{LEFT + high * scale:.1f}" y1="{y + 13}" y2="{y + 13}" stroke="#000000"/>',
                  f'<text x="{LEFT + max(high, row["ratio"]) * scale + 6:.1f}" y="{y + 17}">{row["ratio"]:.2f}x</text>']
    line = LEFT + scale
    parts += [f'<line x1="{line:.1f}" x2="{line:.1f}" y1="{TOP - 4}" y2="{TOP + ROW * len(rows) + 4}" stroke="#555555" stroke-dasharray="4 3"/>',
              f'<text x="{line:.1f}" y="{TOP + ROW * len(rows) + 20}" text-anchor="middle" fill="#555555">{escape(document["peer"].split()[0])} = 1</text>',
              "</svg>"]
    return "\n".join(parts) + "\n"
