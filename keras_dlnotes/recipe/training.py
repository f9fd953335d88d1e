"""The ten steps to train a multilayer perceptron, as one call with a checklist to show for it."""

import dataclasses
import os

import keras
import numpy as np

from keras_dlnotes import _checks, losses, optimizers
from keras_dlnotes._fitting import judge_fit
from keras_dlnotes.callbacks.gradient_monitor import GradientMonitor
from keras_dlnotes.models.data import checked_features, checked_pair, split
from keras_dlnotes.models.mlp import MLP
from keras_dlnotes.models.task import TASKS, detect
from keras_dlnotes.recipe.checklist import Checklist
from keras_dlnotes.recipe.datasets import from_dataset
from keras_dlnotes.recipe.search import search
from keras_dlnotes.recipe.steps import add_findings, chosen_steps

BATCH = 1024


@dataclasses.dataclass
class RecipeResult:
    """What the recipe leaves.

    Attributes:
        model: The trained model, with its scaling inside and its best weights.
        history: The Keras history.
        checklist: The ten steps: print it.
        task: What was learned, a `Task`.
        monitor: The `GradientMonitor`.
        fit: What the learning curves showed, a `Fit`.
        label_shape: Shape of one label, as they came: () for a plain list of numbers.
    """

    model: keras.Model
    history: keras.callbacks.History
    checklist: Checklist
    task: object
    monitor: GradientMonitor
    fit: object
    label_shape: tuple

    def predict(self, x):
        """Predictions in the terms and the shape of the labels.

        That is numbers, classes, or rows with a single 1.
        """
        said = self.model.predict(checked_features(x), batch_size=BATCH, verbose=0)
        if self.task.name == "binary":
            said = (said > 0).astype(int)
        elif self.task.name != "regression":
            said = said.argmax(-1)
            if self.task.name == "multiclass_one_hot":
                said = np.eye(self.task.outputs)[said]
        return said.reshape(-1, *self.label_shape)


def train(
    x,
    y=None,
    task="auto",
    *,
    hidden=(128, 64),
    activation="relu",
    dropout=0.2,
    batch_normalization=True,
    l2=0.0,
    scaling="standardize",
    learning_rate=1e-3,
    clip=1.0,
    batch_size=32,
    epochs=100,
    patience=10,
    validation=0.2,
    tune=None,
    log_dir=None,
    callbacks=(),
    seed=None,
    verbose=0,
):
    """Trains an MLP by the notes' ten steps and says what was done at each.

    Args:
        x: Array of features, or a batched `tf.data.Dataset` of (x, y), which then needs
            `validation` to be one too.
        y: Array of labels; their kind decides the task.
        task: "auto", "regression", "binary", "multiclass" or "multiclass_one_hot".
        hidden, activation, dropout, batch_normalization, l2, scaling: As for `MLP`.
        learning_rate: Float or a schedule. Adam's. Defaults to 1e-3.
        clip: Float. The gradient's global norm is clipped to it; None leaves it. Defaults to 1.
        batch_size: Integer. Defaults to 32.
        epochs: Integer. At the most. Defaults to 100.
        patience: Integer. Epochs without a better validation loss before it stops. Defaults to 10.
        validation: Share of the data held out at random, or a pair (x, y). Defaults to 0.2.
        tune: Integer. So many trials of Keras Tuner choose layers, units, activation, dropout,
            normalization, penalties, learning rate and batch size first. Defaults to None: no
            search.
        log_dir: Directory for TensorBoard: curves, weights and gradients. Defaults to None.
        callbacks: More callbacks for `fit`.
        seed: Integer. Split, weights, dropout and order of the data follow from it.
        verbose: As in `fit`. Defaults to 0.

    Returns:
        A `RecipeResult`.

    Example:
        >>> x = np.random.default_rng(0).normal(size=(300, 4))
        >>> result = train(x, (x[:, 0] > 0).astype(int), hidden=(16,), epochs=3, seed=0)
        >>> [step.title for step in result.checklist][:3]
        ['Scale the features', 'Initial weights', 'Activation']
    """
    _checks.integer("epochs", epochs, 1)
    _checks.integer("patience", patience, 1)
    _checks.integer("batch_size", batch_size, 1)
    if clip is not None:
        _checks.number("clip", clip, "(0, inf)")
    if task not in ("auto", *TASKS):
        _checks.one_of("task", task, ("auto", *TASKS))
    if seed is not None:
        keras.utils.set_random_seed(_checks.integer("seed", seed, 0))
    streamed = y is None
    if streamed:
        data, held_out, x_train, y_train = from_dataset(x, validation)
    else:
        x, y = checked_pair(x, y)
        (x_train, y_train), held_out = split(x, y, validation, seed)
        data = (x_train, y_train)
    task = detect(y_train if streamed else np.concatenate([y_train, held_out[1]]), task)

    choices = {
        "hidden": _checks.sizes("hidden", hidden),
        "activation": activation,
        "dropout": dropout,
        "batch_normalization": batch_normalization,
        "l2": l2,
    }
    searched = None
    if tune is not None:
        if streamed:
            _checks.fail("tune", "be None for a dataset; pass arrays to tune", tune)
        choices, learning_rate, batch_size, searched = search(
            data, held_out, tune, task, scaling, epochs, seed
        )

    model = MLP(
        task.outputs,
        **choices,
        scaling=scaling,
        input_shape=tuple(np.shape(x_train)[1:]),
        seed=seed,
    )
    model.adapt(data if streamed else x_train)
    loss = getattr(losses, task.loss)
    loss = loss() if task.name == "regression" else loss(from_logits=True)
    metric = task.metric
    if task.loss == "BinaryCrossentropy":
        metric = keras.metrics.BinaryAccuracy("accuracy", threshold=0.0)
    model.compile(optimizers.Adam(learning_rate, global_clipnorm=clip), loss, metrics=[metric])

    monitor = GradientMonitor(log_dir, on_problem=None)
    stopping = keras.callbacks.EarlyStopping(patience=patience, restore_best_weights=True)
    watching = [monitor, stopping, *keras.tree.flatten(callbacks or ())]
    if log_dir is not None:
        watching.insert(0, keras.callbacks.TensorBoard(os.fspath(log_dir)))
    options = {"shuffle": False} if streamed else {"batch_size": batch_size}
    history = model.fit(
        *((data,) if streamed else data),
        validation_data=held_out,
        epochs=epochs,
        callbacks=watching,
        verbose=verbose,
        **options,
    )
    fit = judge_fit(
        history.history["loss"], history.history["val_loss"], constant_loss(y_train, task)
    )
    checklist = chosen_steps(
        task, choices, scaling, learning_rate, clip, searched, log_dir, patience
    )
    add_findings(checklist, history, monitor, fit, epochs)
    return RecipeResult(model, history, checklist, task, monitor, fit, np.shape(y_train)[1:])


def constant_loss(y, task):
    """Loss of the best constant prediction, which a model must beat to have learned anything."""
    y = np.asarray(y, "float64")
    if task.name == "regression":
        return float(np.mean((y - y.mean(0)) ** 2))
    if task.name == "multiclass":
        shares = np.bincount(y.astype(int).ravel()) / y.size
    elif task.name == "multiclass_one_hot":
        shares = y.mean(0)
    else:
        ones = y.reshape(len(y), -1).mean(0)
        both = np.stack([ones, 1 - ones])
        return float(-np.mean(np.sum(both * np.log(np.maximum(both, 1e-12)), axis=0)))
    return float(-np.sum(shares * np.log(np.maximum(shares, 1e-12))))
