"""What the layers put out, over the epochs."""

from keras_dlnotes.plots._canvas import axes
from keras_dlnotes.plots._layers import history_of, layer_lines

LABELS = {
    "activation_mean": "mean of the outputs",
    "activation_std": "standard deviation of the outputs",
    "activation_zeros": "share of zeros",
    "activation_saturated": "share of saturated outputs",
    "dead_units": "dead units",
}


def activation_statistics(monitor, statistic="activation_std", *, ax=None):
    """Draws one statistic of each layer's outputs over the epochs.

    Args:
        monitor: A ``callbacks.ActivationMonitor`` after a fit.
        statistic: A key of its ``history``. Defaults to "activation_std".
        ax: Axes to draw on. Defaults to None, a new figure.

    Returns:
        The Axes.
    """
    history = history_of(monitor)
    known = [key for key in history if key != "epoch"]
    if statistic not in known:
        raise ValueError(
            f"Argument `statistic` must be one of {', '.join(map(repr, known))}. "
            f"Received: statistic={statistic!r}"
        )
    ax = axes(ax)
    layer_lines(ax, history["epoch"], history[statistic])
    ax.xaxis.get_major_locator().set_params(integer=True)
    ax.set(xlabel="epoch", ylabel=LABELS.get(statistic, statistic), title="Outputs of the layers")
    return ax
