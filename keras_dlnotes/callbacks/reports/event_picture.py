"""A picture of the training for TensorBoard, drawn so seldom that it costs next to nothing."""

import io
import time


class EventPicture:
    """Draws with ``draw(ax)`` under a tag, if matplotlib is there; once an epoch at most."""

    def __init__(self, writer, tag, draw):
        self.writer, self.tag, self.draw = writer, tag, draw
        self._next, self._drawn = 0.0, None

    def update(self, epoch, last=False):
        """Drawing takes at most about 1 % of the time; the last epoch is always drawn."""
        if self._drawn == epoch or (time.monotonic() < self._next and not last):
            return
        try:
            import matplotlib.figure
        except ImportError:
            return
        start = time.monotonic()
        figure = matplotlib.figure.Figure(figsize=(8, 4), dpi=80, layout="constrained")
        self.draw(figure.subplots())
        png = io.BytesIO()
        figure.savefig(png, format="png")
        self.writer.image(self.tag, png.getvalue(), (640, 320), epoch)
        self.writer.flush()
        self._drawn = epoch
        self._next = time.monotonic() + 100 * (time.monotonic() - start)
