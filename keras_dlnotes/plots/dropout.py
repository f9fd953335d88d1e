"""Dropout as the sampling of thinned nets."""

import numpy as np

from keras_dlnotes import _checks
from keras_dlnotes.plots._canvas import grid


def dropout_sampling(rate=0.5, layers=(4, 6, 6, 2), samples=3, seed=0, *, ax=None):
    """Draws a net and some of the thinned nets that dropout samples from it.

    Args:
        rate: Float in [0, 1). Share of the hidden units dropped. Defaults to 0.5.
        layers: Integers. Units of each layer. Defaults to (4, 6, 6, 2).
        samples: Integer. Thinned nets. Defaults to 3.
        seed: Integer. Defaults to 0.
        ax: Axes, one for the net and one for each sample, or one to be divided. Defaults to None,
            a new figure.

    Returns:
        The list of Axes.
    """
    rate = _checks.number("rate", rate, "[0, 1)")
    layers, samples = _checks.sizes("layers", layers), _checks.integer("samples", samples, 1)
    if len(layers) < 2:
        _checks.fail("layers", "name two layers at least, inputs and outputs", layers)
    generator = np.random.default_rng(seed)
    drawn = grid(samples + 1, ax, columns=samples + 1, size=2.6)
    places = [np.linspace(-1, 1, units) * (units - 1) / max(layers) for units in layers]
    for number, part in enumerate(drawn):
        kept = [
            np.ones(units, bool)
            if number == 0 or index in (0, len(layers) - 1)
            else generator.uniform(size=units) >= rate
            for index, units in enumerate(layers)
        ]
        for index in range(len(layers) - 1):
            for i in np.flatnonzero(kept[index]):
                for j in np.flatnonzero(kept[index + 1]):
                    ends = (places[index][i], places[index + 1][j])
                    part.plot((index, index + 1), ends, color="0.6", linewidth=0.6, zorder=1)
        for index, units in enumerate(layers):
            on = kept[index]
            across = np.full(units, index)
            part.scatter(across[on], places[index][on], s=70, color="#0072B2", zorder=2)
            part.scatter(across[~on], places[index][~on], s=50, marker="x", color="0.5", zorder=2)
        total = sum(int(k.sum()) for k in kept[1:-1])
        part.set_title("the net" if number == 0 else f"sample {number}: {total} hidden units")
        part.margins(x=0.15)
        part.set_axis_off()
    return drawn
