"""Names that are longer than the room for them."""


def shortened(name, width):
    """The end of a path is what tells it apart, so the cut is made in front."""
    return name if len(name) <= width else "…" + name[len(name) - width + 1 :]
