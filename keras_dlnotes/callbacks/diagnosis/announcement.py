"""What a monitor does about the problems of an epoch: its argument ``on_problem``."""

import warnings

from keras_dlnotes import _checks


def checked(on_problem):
    """The argument, if it is one of ``"warn"``, ``"stop"``, a function, or None."""
    if on_problem not in (None, "warn", "stop") and not callable(on_problem):
        _checks.fail("on_problem", "be 'warn', 'stop', None or a function", on_problem)
    return on_problem


def announce(problems, on_problem, epoch, model, warned):
    """Calls, warns (of each problem once, by the set ``warned``) or stops the training."""
    for problem in problems:
        if callable(on_problem):
            on_problem(problem)
        elif on_problem is not None:
            if on_problem == "stop":
                model.stop_training = True
            if (problem.kind, problem.layers) not in warned:
                warned.add((problem.kind, problem.layers))
                text = f"Epoch {epoch + 1}: {problem.message}"  # counted as Keras prints them
                warnings.warn(text, UserWarning, stacklevel=3)
