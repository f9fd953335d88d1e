"""TensorBoard's event files, written from the host with TensorBoard's own writer.

No ``tf.summary``: its operations do not compile under XLA, and other backends need no TensorFlow.
"""

import contextlib
import os
import time
import weakref

import numpy as np

from keras_dlnotes.callbacks.reports.forgiving import Forgiving

#: Directory of a run -> title -> category and who wrote it, for what this process has laid out.
_LAYOUTS = {}


class EventWriter:
    """Writes one run. The file is opened with the first thing written.

    What cannot be written, on a full disk for instance, warns once and is left out.
    """

    def __init__(self, directory):
        self.directory = os.fspath(directory)
        self._writer = None
        # TensorBoard writes through TensorFlow where there is one, whose errors are no OSError.
        self._forgiving = Forgiving(self.directory, Exception)

    def scalars(self, values, step):
        """A dict of tag -> number; what is not finite is left out, since it has no place."""
        from tensorboard.compat.proto import tensor_pb2
        from tensorboard.plugins.scalar import metadata

        single = metadata.create_summary_metadata("", "")
        tensors = {
            tag: tensor_pb2.TensorProto(dtype="DT_FLOAT", float_val=[value])
            for tag, value in values.items()
            if np.isfinite(value)
        }
        self._write(tensors, single, step)

    def histograms(self, counts, edges, step):
        """A dict of tag -> counts between ``edges``, which are one more than counts."""
        from tensorboard.compat.proto import tensor_pb2, tensor_shape_pb2
        from tensorboard.plugins.histogram import metadata

        bins = [tensor_shape_pb2.TensorShapeProto.Dim(size=n) for n in (len(edges) - 1, 3)]
        shape = tensor_shape_pb2.TensorShapeProto(dim=bins)
        buckets = np.stack([edges[:-1], edges[1:], edges[:-1]], axis=1).astype("<f8")
        tensors = {}
        for tag, numbers in counts.items():
            buckets[:, 2] = numbers
            tensors[tag] = tensor_pb2.TensorProto(
                dtype="DT_DOUBLE", tensor_shape=shape, tensor_content=buckets.tobytes()
            )
        self._write(tensors, metadata.create_summary_metadata("", ""), step)

    def image(self, tag, png, size, step):
        """A picture as the bytes of a PNG file, ``size`` in pixels across and down."""
        from tensorboard.plugins.image import metadata

        parts = np.array([str(size[0]).encode(), str(size[1]).encode(), png], object)
        self._add(tag, parts, metadata.create_summary_metadata("", ""), step)

    def layout(self, title, charts):
        """Custom scalars: ``charts`` maps a chart's title to the expression its tags match.

        A run has one layout, the last one read. So it holds what others put there before; and since
        the files of a run are read in the order of their names, which need not be that of writing,
        every open one is given the whole.
        """
        from tensorboard.plugins.custom_scalar import layout_pb2, metadata

        laid_out = _LAYOUTS.setdefault(os.path.abspath(self.directory), {})
        category = layout_pb2.Category(
            title=title,
            chart=[
                layout_pb2.Chart(
                    title=name, multiline=layout_pb2.MultilineChartContent(tag=[pattern])
                )
                for name, pattern in charts.items()
            ],
        )
        laid_out[title] = category, weakref.ref(self)
        layout = layout_pb2.Layout(category=[category for category, _ in laid_out.values()])
        proto = np.array(layout.SerializeToString(), object)
        for _, reference in laid_out.values():
            writer = reference()
            if writer is self or (writer is not None and writer._writer is not None):
                writer._add(
                    metadata.CONFIG_SUMMARY_TAG, proto, metadata.create_summary_metadata(), 0
                )

    def _add(self, tag, value, metadata, step):
        from tensorboard.util import tensor_util

        self._write({tag: tensor_util.make_tensor_proto(value)}, metadata, step)

    def _write(self, tensors, metadata, step):
        """All of one kind as a single event: the file's writer takes its time for each."""
        from tensorboard.compat.proto import event_pb2, summary_pb2

        if not tensors:
            return
        summary = summary_pb2.Summary()
        for tag, tensor in tensors.items():
            summary.value.add(tag=tag, tensor=tensor, metadata=metadata)
        event = event_pb2.Event(wall_time=time.time(), step=int(step), summary=summary)
        self._attempt(lambda: self._opened().add_event(event))

    def _opened(self):
        if self._writer is None:
            from tensorboard.summary.writer.event_file_writer import EventFileWriter

            self._writer = EventFileWriter(self.directory)
        return self._writer

    def flush(self):
        if self._writer is not None:
            self._attempt(self._writer.flush)

    def close(self):
        if self._writer is not None:
            self._attempt(self._writer.close)
            self._writer = None

    def _attempt(self, write):
        if self._forgiving.failed:
            return
        with self._forgiving.attempt():
            write()
        if self._forgiving.failed and self._writer is not None:
            writer, self._writer = self._writer, None
            with contextlib.suppress(Exception):
                writer.close()  # It fails again, but ends the writer's thread.


def check_writable(directory, argument="log_dir"):
    """One clear error before any training, rather than a stack trace after an epoch."""
    probe = os.path.join(directory, f".write_test_{os.getpid()}")
    try:
        os.makedirs(directory, exist_ok=True)
        with open(probe, "w"):
            pass
        os.remove(probe)
    except OSError as error:
        raise ValueError(
            f"Argument `{argument}` must lie in a directory that can be written. "
            f"Received: {argument}={os.fspath(directory)!r} ({error.strerror})"
        ) from error
