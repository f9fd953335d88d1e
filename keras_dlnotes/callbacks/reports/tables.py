"""Tables for terminals: never wider than 100 columns."""

import textwrap

from keras_dlnotes._names import shortened

WIDTH = 100


def number(value, share=False):
    if value != value:
        return "-"
    return f"{value:.1%}" if share else f"{value:.3g}" if value == 0 else f"{value:.2e}"


def table(headings, rows):
    """Rows of strings under headings; the first column is a name and gives way to the others."""
    widths = [max(len(line[i]) for line in [headings, *rows]) for i in range(len(headings))]
    others = sum(widths[1:]) + 2 * len(widths[1:])
    widths[0] = min(widths[0], WIDTH - others)
    lines = []
    for line in [headings, *rows]:
        cells = [shortened(line[0], widths[0]).ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True)]
        lines.append("  ".join(cells).rstrip())
    lines.insert(1, "-" * max(len(line) for line in lines))
    return "\n".join(lines)


def paragraph(text):
    return textwrap.fill(text, WIDTH, initial_indent="* ", subsequent_indent="  ")
