"""Where gradients are seen: listeners to the optimizer of one model, for the time of a fit.

What is wrapped stands in ``optimizer_taps``. It runs while Keras traces its train function,
therefore ``attach`` puts another train function in its place. ``detach`` leaves model and
optimizers exactly as they were found. It is called also when the fit breaks off, wherever that
happens; and if even that went unseen, by the next fit.

Tracing takes as long as a hundred steps, so listeners keep what was traced with them: in a later
fit with the same listeners nothing is traced again.
"""

import weakref

import keras

from keras_dlnotes._wrapped_optimizers import innermost
from keras_dlnotes.callbacks.taps.early_variables import make_variables
from keras_dlnotes.callbacks.taps.fit_end import when_fit_breaks
from keras_dlnotes.callbacks.taps.optimizer_taps import ModelTaps

#: Model -> its taps. Weak, so that nothing here keeps a model alive.
_TAPS = weakref.WeakKeyDictionary()


def attach(model, listener):
    """Lets ``listener`` hear the gradients of ``model``.

    Before each call of the train function its ``choose(number of the call)`` returns what it wants
    of this one, and ``choose(None)`` is called afterwards; for all else see ``Listener``.
    """
    taps = _TAPS.get(model)
    if taps is None:
        taps = _TAPS[model] = ModelTaps(model, detach)
    if listener not in taps.listeners:
        taps.listeners.append(listener)
        fit = listener.begin()
        # This may be called late, when it listens to another fit.
        when_fit_breaks(lambda: listener.fit is fit and detach(model, listener))
    tap_step(model)


def detach(model, listener=None):
    """Ends what ``attach`` began, for one listener or for all."""
    taps = _TAPS.get(model)
    if taps is None or (listener is not None and listener not in taps.listeners):
        return
    for other in list(taps.listeners) if listener is None else [listener]:
        taps.listeners.remove(other)
        other.detached()
    if not taps.listeners:
        taps.restore()
        del _TAPS[model]
        # Another one than ours has come from somebody during the fit, and has the taps in it.
        model.train_function = taps.own_step if model.train_function is taps.step else None
    else:
        tap_step(model)


def own_step(model):
    """The train function without taps. It is another one if Keras would trace anew, too."""
    taps = _TAPS.get(model)
    return model.train_function if taps is None else taps.own_step


def leaves(model):
    """The optimizers that update variables themselves."""
    whole = innermost(model.optimizer)
    return [innermost(each) for each in getattr(whole, "optimizers", None) or [whole]]


def board(model, variables):
    """Lets ``variables`` travel among the optimizer's, through a stateless train step."""
    innermost(model.optimizer)._variables.extend(variables)


def leave(model, variables):
    ids = {id(v) for v in variables}
    optimizer = innermost(model.optimizer)
    optimizer._variables[:] = [v for v in optimizer._variables if id(v) not in ids]


def make_step(model):
    """A train function that has not been traced yet."""
    model.train_function = None
    if keras.backend.backend() == "jax":
        # JAX remembers traces by function, so each must be a function of its own.
        method = model.train_step
        model.__dict__["train_step"] = lambda state, data: method(state, data)
        try:
            model.make_train_function()
        finally:
            del model.__dict__["train_step"]
    else:
        model.make_train_function()
    return model.train_function


def tap_step(model):
    """Gives the model a train function with the taps in it.

    What listeners want differs from step to step, and a condition inside a compiled step costs more
    than what it guards: tensors are kept alive for it. So each combination of their wishes is
    traced on its own, and the choice is made outside. A step that fails ends all listening: Keras
    calls no ``on_train_end`` then.
    """
    reference, calls = weakref.ref(model), 0
    taps = _TAPS[model]
    listeners = tuple(taps.listeners)
    steps = {}

    def tapped_step(*args, **kwargs):
        nonlocal calls, steps
        model = reference()
        if not calls:
            make_variables(model, getattr(args[0], "element_spec", None))
            for listener in listeners:
                listener.settle()
            steps = common_traces(listeners)
        wishes = tuple(listener.choose(calls) for listener in listeners)
        calls += 1
        try:
            if wishes not in steps:
                steps[wishes] = make_step(model)
                model.train_function = tapped_step
            return steps[wishes](*args, **kwargs)
        except BaseException as error:
            # These two are how an epoch of unknown length ends.
            if type(error).__name__ not in ("StopIteration", "OutOfRangeError"):
                steps.clear()
                detach(model)
            raise
        finally:
            for listener in listeners:
                listener.choose(None)

    model.train_function = taps.step = tapped_step


def common_traces(listeners):
    """``{wishes: train function}`` of these listeners together; the first of them keeps it."""
    first, others = listeners[0], listeners[1:]
    if first.traces[0] != others:
        first.traces = others, {}
    return first.traces[1]
