"""Training on several machines with TensorFlow's own engine, where Keras' `fit` stumbles.

`tf.distribute.MirroredStrategy` (several GPUs in one machine) needs nothing from here: build and
compile under `strategy.scope()`, and call `fit`. Under `tf.distribute.MultiWorkerMirroredStrategy`
Keras 3.14 and 3.15 fail: `fit` builds with a batch of which a part lies in another process, and
averages logs as if they were batches. `multi_worker` steps around both, for one model. With JAX use
`keras.distribution.DataParallel`, which needs nothing from here either.
"""

import functools

import keras
import numpy as np

from keras_dlnotes import _checks
from keras_dlnotes._wrapped_optimizers import innermost

__all__ = ["WorkerLostError", "multi_worker", "shards"]


class WorkerLostError(RuntimeError):
    """Another worker has ended or cannot be reached, so that this one cannot go on."""


def multi_worker(model, x=None, y=None):
    """Makes `fit`, `evaluate` and `predict` of a compiled model run on several workers.

    When to use it: for a model under `tf.distribute.MultiWorkerMirroredStrategy`, in every worker,
    after `compile`. Any other model comes back untouched. All state is built here: variables of the
    model, slots of the optimizer, loss and metrics. Where another worker is lost, these methods
    raise `WorkerLostError` within a minute; the job is then started anew, and goes on from the last
    epoch by `keras_dlnotes.callbacks.BackupAndRestore`.

    Logs are the mean over the workers of what each has seen. `steps_per_execution` above 1,
    `jit_compile=True`, gradient accumulation and `ema_overwrite_frequency` do not work under any
    strategy of TensorFlow.

    Args:
        model: A model, made and compiled under `strategy.scope()`.
        x, y: Inputs and labels, or a dataset of both; only their shapes and types matter. Not
            needed for a model which has no compiled loss, such as `Word2Vec`.

    Returns:
        The model.

    Example: the same script on each machine, started with its own `TF_CONFIG`.

        strategy = tf.distribute.MultiWorkerMirroredStrategy()
        with strategy.scope():
            model = keras.Sequential([...])
            model.compile("adam", "mse")
        multi_worker(model, x, y)
        model.fit(x, y, batch_size=64, epochs=10)  # 64 over all workers
    """
    if not getattr(model, "compiled", False):
        raise ValueError("Call `compile` before `multi_worker`: it builds losses and metrics too.")
    if keras.backend.backend() != "tensorflow":
        return model
    strategy = model.distribute_strategy
    if not strategy.extended._in_multi_worker_mode():
        return model
    _check_optimizer(model.optimizer, strategy)
    if hasattr(x, "element_spec"):
        x, y, _ = keras.utils.unpack_x_y_sample_weight(x.element_spec)
    if model._compile_loss is not None and (x is None or y is None):
        raise ValueError("`multi_worker` needs `x` and `y`, as `fit` gets them, to build a loss.")
    batch = keras.tree.map_structure(_symbolic, (x, y))
    with strategy.scope():
        model._symbolic_build(data_batch=batch)
    # All is built; it is the reading of a batch in order to build that fails.
    model._maybe_symbolic_build = lambda *args, **kwargs: None
    for name in ("train_step", "test_step"):
        setattr(model, name, _vectors(getattr(model, name)))
    for name in ("fit", "evaluate", "predict"):
        setattr(model, name, _reporting(getattr(model, name)))
    model.train_function = model.test_function = model.predict_function = None
    return model


def shards(make, strategy=None):
    """A dataset of which each worker reads its own part.

    When to use it: where the data are more than one machine should read, as with a corpus. Arrays
    may be given to `fit` as they are: TensorFlow divides each batch.

    A worker whose part has fewer steps than the others' begins it again.

    Args:
        make: Function of `(num_shards, shard_index)` that returns the `tf.data.Dataset` of one
            part, in batches for one device.
        strategy: The strategy; by default the one whose scope is open.

    Returns:
        The dataset, without an end: pass its `steps` as `steps_per_epoch`. It has the `total_words`
        of all parts together where `make` gives such datasets, as `Corpus.dataset` does.

    Example:

        def part(num_shards, shard_index):
            return corpus.dataset(num_shards=num_shards, shard_index=shard_index)

        data = shards(part, strategy)
        model.fit(data, steps_per_epoch=data.steps, epochs=5)
    """
    import tensorflow as tf

    if not callable(make):
        _checks.fail("make", "be a function of (num_shards, shard_index)", make)
    strategy = tf.distribute.get_strategy() if strategy is None else strategy
    parts = []

    def part(context):
        dataset = make(context.num_input_pipelines, context.input_pipeline_id)
        if not isinstance(dataset, tf.data.Dataset):
            _checks.fail("make", "return a tf.data.Dataset", dataset)
        parts.append((context.num_input_pipelines, dataset))
        return dataset.repeat()

    distributed = strategy.distribute_datasets_from_function(part)
    workers, mine = parts[0]
    steps = int(mine.cardinality())
    if steps <= 0:
        raise ValueError("The datasets that `make` returns must have a known, finite length")
    replicas = strategy.num_replicas_in_sync // workers
    distributed.steps = max(1, round(_mean(strategy, steps) / replicas))
    if hasattr(mine, "total_words"):
        distributed.total_words = round(_mean(strategy, mine.total_words) * workers)
    return distributed


def _mean(strategy, number):
    """Of one number a worker, over all workers."""
    import tensorflow as tf

    value = tf.constant(number, tf.float64)
    values = strategy.run(lambda: tf.identity(value))
    return float(strategy.reduce(tf.distribute.ReduceOp.MEAN, values, axis=None))


def _check_optimizer(optimizer, strategy):
    """What would otherwise be found out by the first step, in words of TensorFlow's insides."""
    if optimizer is None:
        return
    optimizer = innermost(optimizer)
    if not strategy.extended.variable_created_in_scope(optimizer.variables[0].value):
        raise ValueError(
            "Call `compile` under `strategy.scope()` too, and make the optimizer there: it has "
            "variables as the model has."
        )
    for name in ("gradient_accumulation_steps", "ema_overwrite_frequency"):
        value = getattr(optimizer, name, None)
        if value is not None:
            raise ValueError(
                f"No strategy of TensorFlow trains with the optimizer's `{name}`. "
                f"Received: {name}={value}"
            )


def _symbolic(value):
    if value is None:
        return None
    if not hasattr(value, "shape"):
        value = np.asarray(value)
    return keras.KerasTensor((None, *value.shape[1:]), keras.backend.standardize_dtype(value.dtype))


def _vectors(step):
    """Logs of one element each, since `fit` takes the mean along an axis."""

    @functools.wraps(step)
    def wrapped(*args):
        return keras.tree.map_structure(lambda log: keras.ops.reshape(log, (1,)), step(*args))

    return wrapped


def _reporting(method):
    """Tells a lost worker from any other error."""
    import tensorflow as tf

    lost = (tf.errors.UnavailableError, tf.errors.AbortedError, tf.errors.DeadlineExceededError)

    @functools.wraps(method)
    def wrapped(*args, **kwargs):
        try:
            return method(*args, **kwargs)
        except lost as error:
            raise WorkerLostError(
                "Another worker has ended or cannot be reached. Start all workers again; with "
                "keras_dlnotes.callbacks.BackupAndRestore the training goes on from the last epoch."
            ) from error

    return wrapped
