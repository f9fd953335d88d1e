"""Variables of a fit, made before its first step is traced.

Optimizer and metrics make theirs when they are first called: in the trace of the first train step.
TensorFlow traces a step that has made variables a second time, which is most of the time until that
step. Keras goes the shorter way itself under a strategy and on JAX.
"""

import contextlib

import keras


def make_variables(model, batch):
    """Lets optimizer, metrics and loss of a compiled model make their variables.

    Only where that is of use, and all is known: a step that TensorFlow will trace, a model that is
    built, Keras' own ``train_step``.

    Args:
        batch: What a step gets, as arrays, tensors or their specs: inputs, labels, weights.
    """
    if keras.backend.backend() != "tensorflow" or model.run_eagerly or not model.built:
        return
    if type(model).train_step is keras.Model.train_step:
        # What is wrong with the data the step itself will tell, in its own words.
        with contextlib.suppress(Exception), model.distribute_strategy.scope():
            model._symbolic_build(data_batch=batch)
