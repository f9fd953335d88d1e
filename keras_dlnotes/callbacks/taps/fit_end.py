"""Being told when a fit ends by an error, for which Keras calls no ``on_train_end``."""

import sys
import weakref

import keras

#: List of callbacks -> what to call if its fit breaks off.
_ENDS = weakref.WeakKeyDictionary()


def when_fit_breaks(end):
    """Calls ``end()`` if the fit that is beginning breaks off; to be called in ``on_train_begin``.

    Two ways lead there. An error in any callback passes through the list of callbacks of this fit,
    whose hooks are therefore wrapped (the list lives as long as the fit). Anything else, such as
    an interrupt between two steps or an error in the data, ends the list's life. ``end`` is also
    called, late, for a fit that ends well, and possibly twice.
    """
    callbacks = running_callbacks()
    if callbacks is None:
        return
    weakref.finalize(callbacks, end).atexit = False
    ends = _ENDS.get(callbacks)
    if ends is None:
        ends = _ENDS[callbacks] = []
        own, kind = callbacks.__dict__, type(callbacks)
        reference = weakref.ref(callbacks)  # no cycle: the list shall die with its fit
        for name in dir(kind):
            if name.startswith("on_"):
                own[name] = guarded(own.get(name) or bound_late(kind, name, reference), ends)
    ends.append(end)


def running_callbacks():
    """The list of callbacks whose ``on_train_begin`` is under way."""
    frame = sys._getframe(1)
    while frame is not None:
        if frame.f_code.co_name == "on_train_begin":
            found = frame.f_locals.get("self")
            if isinstance(found, keras.callbacks.CallbackList):
                return found
        frame = frame.f_back
    return None


def bound_late(kind, name, reference):
    method = getattr(kind, name)
    return lambda *args, **kwargs: method(reference(), *args, **kwargs)


def guarded(method, ends):
    def hook(*args, **kwargs):
        try:
            return method(*args, **kwargs)
        except BaseException:
            while ends:
                ends.pop()()
            raise

    return hook
