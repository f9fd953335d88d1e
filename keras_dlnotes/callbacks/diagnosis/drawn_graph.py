"""The graph of a subclassed model, drawn for a moment, so that it can be walked as any other."""

import contextlib

import keras


@contextlib.contextmanager
def drawn_graph(model):
    """For the time of the block, layers know what ``call`` of their model does with them.

    A subclassed model has no graph, but its ``call`` leaves one behind if the tensors that it is
    given have only shapes. Where it needs numbers, or is not there, nothing is drawn. The model is
    afterwards as it was.
    """
    if getattr(model, "inputs", None) is not None or not getattr(model, "_build_shapes_dict", None):
        yield
        return
    nodes = [
        (kind, len(kind))
        for layer in model._flatten_layers()
        for kind in (layer._inbound_nodes, layer._outbound_nodes)
    ]

    def wipe():
        for kind, length in nodes:
            del kind[length:]

    try:
        for dtype in ("float32", "int32"):
            try:
                _call(model, dtype)
                break
            except Exception:  # What a user's code can raise on tensors without numbers is open.
                wipe()
        yield
    finally:
        wipe()


def _call(model, dtype):
    def tensors(shapes):
        if isinstance(shapes, dict):
            return {name: tensors(shape) for name, shape in shapes.items()}
        if shapes and not isinstance(shapes[0], int | None):
            return type(shapes)(tensors(shape) for shape in shapes)
        return keras.KerasTensor(shapes, dtype)

    model.__dict__["add_loss"] = lambda loss: None  # It takes numbers only.
    try:
        model.call(*(tensors(shapes) for shapes in model._build_shapes_dict.values()))
    finally:
        del model.__dict__["add_loss"]
