"""A picture as an array of bytes, for TensorBoard and files."""

import numpy as np

from keras_dlnotes.plots._canvas import pyplot


def pixels(ax):
    """The figure of these Axes as an array of (height, width, 3) bytes; the figure is closed."""
    plt = pyplot()
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas = FigureCanvasAgg(ax.figure)
    canvas.draw()
    image = np.asarray(canvas.buffer_rgba())[..., :3].copy()
    plt.close(ax.figure)
    return image
