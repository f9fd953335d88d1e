import types

from tensorboard.backend.event_processing import event_accumulator
from tensorboard.plugins.custom_scalar import layout_pb2
from tensorboard.summary.writer import event_file_writer

from keras_dlnotes.callbacks.reports.event_writer import EventWriter


def test_whichever_file_is_read_last_has_the_whole_layout(tmp_path, monkeypatch):
    """A process' tenth file of a second is read before the ninth."""
    monkeypatch.setattr(event_file_writer, "_global_uid", event_file_writer.AtomicCounter(9))
    monkeypatch.setattr(event_file_writer, "time", types.SimpleNamespace(time=lambda: 1.0))
    writers = [EventWriter(tmp_path) for _ in range(2)]
    for writer, title in zip(writers, ("one", "other"), strict=True):
        writer.layout(title, {"chart": "tag"})
    for writer in writers:
        writer.close()
    assert [path.suffix for path in sorted(tmp_path.iterdir())] == [".10", ".9"]
    events = event_accumulator.EventAccumulator(str(tmp_path))
    events.Reload()
    last = events.Tensors("custom_scalars__config__")[-1].tensor_proto.string_val[0]
    titles = [category.title for category in layout_pb2.Layout.FromString(last).category]
    assert titles == ["one", "other"]
