"""What the diagnosis knows of each layer, and how layers stand to each other."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class LayerState:
    """One layer's numbers over one epoch; NaN for what is not known."""

    name: str
    gradient_norm: float
    largest_norm: float = np.nan
    update_ratio: float = np.nan
    weight_norm: float = np.nan
    zeros: float = np.nan
    nonfinite: float = 0.0
    first_nonfinite: int = 0
    #: Whether the layer has a matrix or kernel: biases and scales follow other laws.
    kernel: bool = True
    #: A lookup: most rows have no gradient, and that is as it should be.
    sparse: bool = False
    activation: str = ""
    #: Norm of the bias's gradient and number of units; for the slope of sigmoids.
    bias_norm: float = np.nan
    units: int = 1
    #: The layers that take what this one puts out. None: the next one in the list.
    feeds: tuple | None = None
    #: All layers that come after it on some way to an output. None: all later ones in the list.
    ahead: frozenset | None = None


def feeding(layers):
    """The name of each layer and those of the layers that it feeds."""
    following = [layer.name for layer in layers[1:]] + [None]
    for layer, follower in zip(layers, following, strict=False):
        names = (follower,) if layer.feeds is None else layer.feeds
        yield layer.name, names if names != (None,) else ()


def chain(layers):
    """The layers whose norms can be compared along the depth."""
    return [
        layer
        for layer in layers
        if layer.kernel and np.isfinite(layer.gradient_norm) and layer.gradient_norm > 0
    ]


def ways(line):
    """For each layer the indices of those that come after it; parallel branches do not."""
    return [
        [
            j
            for j, other in enumerate(line)
            if (j > i if layer.ahead is None else other.name in layer.ahead)
        ]
        for i, layer in enumerate(line)
    ]


def steps(after, i, j):
    """How many layers the gradient passes on its way from ``j`` back to ``i``."""
    return 1 + sum(j in after[k] for k in after[i])
