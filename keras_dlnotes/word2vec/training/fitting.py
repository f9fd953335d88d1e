"""How Word2Vec learns: compile, fit and one step, on each backend."""

import contextlib
import math

import keras
from keras import ops

from keras_dlnotes import _replicas
from keras_dlnotes._wrapped_optimizers import chain
from keras_dlnotes.optimizers.sgd import SGD
from keras_dlnotes.word2vec.training.accepted import check_data, one_batch
from keras_dlnotes.word2vec.training.descent import CompiledDescent, bounded, descend
from keras_dlnotes.word2vec.training.epoch_draws import EpochDraws, warn_of_nothing

#: The farthest a row moves in a step of the built-in gradient descent.
REACH = 0.5
#: Steps of an execution, if they are not given.
STEPS = 16


class Perplexity(keras.metrics.Mean):
    """exp of a mean loss."""

    def result(self):
        return ops.exp(super().result())


class Training:
    """The training side of `Word2Vec`."""

    #: For batches of which shapes the train function is traced, and the test function.
    train_shapes = test_shapes = None

    def compile(
        self,
        optimizer=None,
        learning_rate=None,
        *,
        jit_compile="auto",
        steps_per_execution=None,
        **kwargs,
    ):
        """As in Keras; without an optimizer word2vec's own gradient descent at `learning_rate`.

        The learning rate defaults to 0.025, that of gensim and of word2vec.c's skip-gram. A step
        takes a few milliseconds, so 16 of them run between two calls of the callbacks on TensorFlow
        with one device, if `steps_per_execution` is not given.
        """
        if optimizer is not None and learning_rate is not None:
            raise ValueError("Give an optimizer with its learning rate, or a learning_rate alone")
        self._own_optimizer = None
        if optimizer is None:
            rate = 0.025 if learning_rate is None else learning_rate
            optimizer = self._own_optimizer = SGD(rate, row_clipnorm=REACH)
        if keras.backend.backend() == "tensorflow" and jit_compile == "auto":
            jit_compile = False  # The step compiles its parts itself, two of them side by side.
        # Gradients are in full precision whatever the policy is; they need no larger loss.
        kwargs.setdefault("auto_scale_loss", False)
        scaled = any(isinstance(o, keras.optimizers.LossScaleOptimizer) for o in chain(optimizer))
        if scaled and keras.backend.backend() == "jax":
            raise ValueError(
                "On JAX Word2Vec trains without a LossScaleOptimizer: its gradients are in full "
                "precision. Give the optimizer inside it."
            )
        self._own_steps = None
        if steps_per_execution is None:
            steps_per_execution = self._own_steps = STEPS if self._alone() else 1
        super().compile(
            optimizer=optimizer,
            jit_compile=jit_compile,
            steps_per_execution=steps_per_execution,
            **kwargs,
        )

    def get_compile_config(self):
        config = super().get_compile_config()
        if config and self._own_optimizer is not None:
            rate = float(ops.convert_to_numpy(self.optimizer.learning_rate))
            config = {"learning_rate": rate, "steps_per_execution": self.steps_per_execution}
        if config and self._own_steps is not None:
            config["steps_per_execution"] = None
        return config

    def compile_from_config(self, config):
        self.compile(**keras.saving.deserialize_keras_object(config))
        self.optimizer.build(self.trainable_variables)

    def fit(
        self,
        x=None,
        y=None,
        batch_size=None,
        epochs=1,
        verbose="auto",
        callbacks=None,
        *,
        initial_epoch=0,
        total_words=None,
        **kwargs,
    ):
        """As in Keras; `x` is what `Corpus.dataset` gives.

        Args:
            total_words: Words an epoch has, from which the linear decay is computed; known to
                datasets made by `Corpus.dataset`.
        """
        check_data("x", x, self.vocabulary)
        check_data("validation_data", kwargs.get("validation_data"), self.vocabulary)
        words = getattr(x, "total_words", None) if total_words is None else total_words
        self.words_planned.assign(0 if words is None else words * epochs)
        if initial_epoch == 0:
            self.words_seen.assign(0)
        if self._own_steps == self.steps_per_execution and self._alone():
            # Keras would go on to the end of an execution.
            wanted = [kwargs.get(name) or 0 for name in ("steps_per_epoch", "validation_steps")]
            self._execute(math.gcd(STEPS, *wanted))
        batches = getattr(x, "batches", None)
        if batches is not None:
            draws = EpochDraws(batches, initial_epoch)
            if isinstance(callbacks, keras.callbacks.CallbackList):
                callbacks.append(draws)
            else:
                callbacks = [*keras.tree.flatten(callbacks or []), draws]
        self._trace_for(x, "train_shapes", "train_function")
        kwargs.setdefault("shuffle", False)  # Keras warns that it cannot; the dataset does.
        return super().fit(
            x, y, batch_size, epochs, verbose, callbacks, initial_epoch=initial_epoch, **kwargs
        )

    def evaluate(self, x=None, *args, **kwargs):
        """As in Keras; `x` is what `Corpus.dataset` gives."""
        check_data("x", x, self.vocabulary)
        self._trace_for(x, "test_shapes", "test_function")
        found = super().evaluate(x, *args, **kwargs)
        batches = getattr(x, "batches", None)
        if batches is not None:
            warn_of_nothing("The evaluation", float(self.loss_metric.result()), batches)
        return found

    def _trace_for(self, data, shapes, function):
        """Batches of other shapes get a trace of their own.

        TensorFlow would make one of no shape in particular that serves both, but a step is laid out
        for its shapes.
        """
        now = getattr(data, "element_spec", None)
        if now is not None and now != getattr(self, shapes):
            object.__setattr__(self, shapes, now)
            setattr(self, function, None)

    def _execute(self, steps):
        if steps != self.steps_per_execution:
            self.steps_per_execution = self._own_steps = steps
            self.train_function = self.test_function = None

    @property
    def metrics(self):
        return [m for m in (self.loss_metric, self.perplexity_metric) if m is not None]

    @property
    def decay(self):
        """What the built-in learning rate has fallen to: from 1 linearly to 1e-4."""
        share = self.words_seen / ops.maximum(self.words_planned, 1.0)
        share = ops.where(self.words_planned > 0, share, 0.0)
        return ops.cast(ops.maximum(1.0 - share, 1e-4), "float32")

    # -------------------------------------------------------------------------------- one step

    def train_step(self, *args):
        if keras.backend.backend() == "jax":
            return self._train_jax(*args)
        with _no_tape():
            return self._train(*args)

    def test_step(self, *args):
        if keras.backend.backend() == "jax":
            return self._test_jax(*args)
        with _no_tape():
            return self._test(*args)

    def _descends(self):
        """Whether the built-in descent may step past `optimizer.apply`.

        Not if somebody watches it (a gradient monitor puts its own `apply` on the instance), and
        not where gradients of several replicas have to be summed.
        """
        watched = {"apply", "_backend_apply_gradients"} & vars(self.optimizer).keys()
        if self.optimizer is not self._own_optimizer or watched:
            return False
        return keras.backend.backend() != "tensorflow" or self._alone()

    def _alone(self):
        """Whether this is TensorFlow with a single replica."""
        if keras.backend.backend() != "tensorflow":
            return False
        import tensorflow as tf

        strategy = self._distribute_strategy or tf.distribute.get_strategy()
        return strategy.num_replicas_in_sync == 1

    def _train(self, data):
        batch = one_batch(data)
        drawn = self._step.draw(batch, self.random, static=self._static())
        tables = [self.embeddings, self.output_table]
        loss, pairs, *updates = self._step.gradients(*(t.value for t in tables), *drawn)
        if self._descends():
            rate = ops.cast(self.optimizer.learning_rate, "float32") * self.decay
            for table, pieces, moving in zip(tables, updates, (self._moving, None), strict=True):
                self._descent(table, pieces, rate, moving)
            self.optimizer.iterations.assign_add(1)
        else:
            self.optimizer.apply(self._as_gradients(updates), tables)
        self._add_words(ops.cast(ops.sum(batch["words"]), self.words_seen.dtype))
        return self._logs(loss, pairs)

    def _add_words(self, words):
        if keras.backend.backend() == "tensorflow":
            # Keras' own `assign_add` assigns a sum, and replicas would add up that sum.
            self.words_seen.value.assign_add(words)
        else:
            self.words_seen.assign_add(words)

    def _test(self, data):
        loss, pairs = self._loss(one_batch(data))
        return self._logs(loss, pairs)

    def _loss(self, batch):
        # The same noise and windows every time: two losses differ by the model alone.
        drawn = self._step.draw(batch, self.seed + 1, static=self._static())
        return self._step.gradients(self.embeddings.value, self.output_table.value, *drawn)[:2]

    @property
    def _descent(self):
        """The step of the built-in descent on one variable."""
        if keras.backend.backend() != "tensorflow":
            return _plain_descent
        if self._compiled is None:
            self._compiled = CompiledDescent(REACH)
        return self._compiled

    def _static(self):
        return keras.backend.backend() != "tensorflow" or bool(self.jit_compile)

    def _logs(self, loss, pairs):
        mean = loss / ops.maximum(pairs, 1.0)
        for metric in self.metrics:
            metric.update_state(mean, sample_weight=pairs)
        return {metric.name: metric.result() for metric in self.metrics}

    def _as_gradients(self, updates):
        """Updates as what an optimizer takes: rows on TensorFlow, whole tables elsewhere."""
        own = self.optimizer is self._own_optimizer
        scale = self.optimizer.scale_loss(1.0)  # The optimizer divides by it again.
        gradients = []
        for number, (table, pieces) in enumerate(
            zip((self.embeddings, self.output_table), updates, strict=True)
        ):
            if own:
                rate = ops.cast(self.optimizer.learning_rate, "float32") * self.decay
                # What several replicas add up the optimizer bounds, where it is all together.
                reach = REACH if _replicas.count() == 1 else None
                pieces = bounded(table.shape[0], pieces, rate, reach)
                pieces = [(ids, rows * self.decay) for ids, rows in pieces]
            else:
                pieces = [(ids, rows) for ids, rows, _ in pieces]
            ids, rows = map(ops.concatenate, zip(*pieces, strict=True))
            rows = rows * scale
            if number == 0 and self._moving is not None:
                rows = rows * ops.take(self._moving, ids, axis=0)
            if keras.backend.backend() == "tensorflow":
                import tensorflow as tf

                shape = tf.constant([int(size) for size in table.shape])
                gradients.append(tf.IndexedSlices(rows, ids, shape))
            else:
                zeros = ops.zeros(table.shape, rows.dtype)
                gradients.append(ops.scatter_update(zeros, ids[:, None], rows, reduction="add"))
        return gradients

    # ------------------------------------------------------------------------------------- JAX

    def _train_jax(self, state, data):
        known = [self.trainable_variables, self.non_trainable_variables, self.optimizer.variables]
        return _stateless([*known, self.metrics_variables], state, self._train, data)

    def _test_jax(self, state, data):
        known = [self.trainable_variables, self.non_trainable_variables, self.metrics_variables]
        return _stateless(known, state, self._test, data)


def _no_tape():
    """The step works its gradients out itself; PyTorch would note down how it does so."""
    if keras.backend.backend() != "torch":
        return contextlib.nullcontext()
    import torch

    return torch.no_grad()


def _stateless(known, state, step, data):
    """Runs a step on given values of the variables, and returns its logs and their new values."""
    variables = [variable for group in known for variable in group]
    values = [value for group in state for value in group]
    pairs = list(zip(variables, values, strict=True))
    with keras.StatelessScope(state_mapping=pairs) as scope:
        logs = step(data)
        new = [[scope.get_current_value(variable) for variable in group] for group in known]
    return logs, tuple(new)


def _plain_descent(variable, updates, rate, moving):
    variable.assign(descend(variable.value, updates, rate, REACH, moving))
