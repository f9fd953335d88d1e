"""The search space of multilayer perceptrons."""

import keras

from keras_dlnotes import _checks, losses
from keras_dlnotes.models.data import checked_pair
from keras_dlnotes.models.mlp import MLP
from keras_dlnotes.models.task import TASKS, detect
from keras_dlnotes.tuning.hypermodel import TrainedHyperModel
from keras_dlnotes.tuning.spaces import (
    LEARNING_RATES,
    TrainingSpace,
    checked_bounds,
    checked_choices,
    choice,
    integer,
    real,
)


class MLPHyperModel(TrainedHyperModel):
    """Multilayer perceptrons, with everything about them that the notes leave to be chosen.

    Each range is an argument: a pair is searched, a single value is fixed. The names Keras Tuner
    sees are `hidden_layers`, `units_1` ..., `activation`, `scaling`, `dropout`,
    `batch_normalization`, `l1`, `l2`, `optimizer`, `learning_rate_<optimizer>`, `schedule`,
    `batch_size` and `epochs`; all of them are always there.

    Args:
        hidden_layers: Integer or pair. Defaults to (1, 3).
        units: Integer or pair. Units of each hidden layer. Defaults to (128, 512).
        activations: Names. The kernel's initializer follows the activation. Defaults to "relu"
            and "gelu".
        dropout: Float or pair, in [0, 1). Defaults to (0.0, 0.4).
        batch_normalization: True, False or both. Defaults to (False, True).
        l1, l2: Numbers to choose from. Default to 0, and to 1e-4 or 1e-3.
        optimizers: Dictionary from "sgd", "momentum", "rmsprop", "adam" or "adamw" to a range of
            learning rates. Defaults to Adam and momentum, with ranges where nets of this kind learn
            within some ten epochs.
        schedules: Of "constant", "cosine" and "one_cycle". Defaults to the last two, which forgive
            a rate that is too high.
        batch_sizes: Integers to choose from. Defaults to (32, 64).
        epochs: Integer or pair; Hyperband decides by itself. Defaults to (10, 50).
        scaling: Of "min_max", "standardize" and None; fitted on each trial's training part.
            Defaults to the first two: where features share one unit, as pixels do, the first is
            mostly the better one, where each has its own, the second.
        task: "auto" or the name of a task, as in the recipe.
        seed: Integer or None.

    Example:
        >>> import keras_tuner
        >>> hypermodel = MLPHyperModel(hidden_layers=2, units=(8, 64), seed=0)
        >>> hypermodel.prepare(np.ones((10, 4)), np.arange(10) % 3)
        >>> model = hypermodel.build(keras_tuner.HyperParameters())
        >>> model.output_shape
        (None, 3)
    """

    def __init__(
        self,
        hidden_layers=(1, 3),
        units=(128, 512),
        activations=("relu", "gelu"),
        dropout=(0.0, 0.4),
        batch_normalization=(False, True),
        l1=(0.0,),
        l2=(1e-4, 1e-3),
        optimizers=None,
        schedules=("cosine", "one_cycle"),
        batch_sizes=(32, 64),
        epochs=(10, 50),
        *,
        scaling=("min_max", "standardize"),
        task="auto",
        seed=None,
    ):
        rates = optimizers or {name: LEARNING_RATES[name] for name in ("adam", "momentum")}
        super().__init__(TrainingSpace(rates, schedules, batch_sizes, epochs), seed)
        self.hidden_layers = checked_bounds("hidden_layers", hidden_layers, _checks.integer, 1)
        self.units = checked_bounds("units", units, _checks.integer, 1)
        self.activations = checked_choices("activations", activations)
        for activation in self.activations:
            keras.activations.get(activation)
        self.dropout = checked_bounds("dropout", dropout, _checks.number, "[0, 1)")
        self.batch_normalization = checked_choices(
            "batch_normalization", batch_normalization, (True, False)
        )
        self.l1 = checked_choices("l1", l1)
        self.l2 = checked_choices("l2", l2)
        for name in ("l1", "l2"):
            for strength in getattr(self, name):
                _checks.number(name, strength, "[0, inf)")
        self.scaling = checked_choices("scaling", scaling, (None, "standardize", "min_max"))
        self.task_name = _checks.one_of("task", task, ("auto", *TASKS))
        self.task = None

    def prepare(self, x, y=None):
        x, y = checked_pair(x, y)
        self.input_shape, self.task = tuple(x.shape[1:]), detect(y, self.task_name)

    @property
    def default_objective(self):
        return "val_loss" if self.task.name == "regression" else "val_accuracy"

    def build(self, hp):
        if self.task is None:
            raise ValueError("What to build follows from the data: call `prepare(x, y)` first.")
        layers = integer(hp, "hidden_layers", self.hidden_layers)
        widths = [
            integer(hp, f"units_{number + 1}", self.units, sampling="log")
            for number in range(self.hidden_layers[1])
        ]
        l1, l2 = choice(hp, "l1", self.l1), choice(hp, "l2", self.l2)
        # Keras Tuner takes no None for a choice.
        scaling = choice(hp, "scaling", [name or "none" for name in self.scaling])
        model = MLP(
            self.task.outputs,
            widths[:layers],
            choice(hp, "activation", self.activations),
            batch_normalization=choice(hp, "batch_normalization", self.batch_normalization),
            dropout=real(hp, "dropout", self.dropout),
            l1=l1,
            l2=l2,
            scaling=None if scaling == "none" else scaling,
            input_shape=self.input_shape,
            seed=self.seed,
        )
        self.training.declare(hp)
        classes = self.task.name != "regression"
        loss = getattr(losses, self.task.loss)(**({"from_logits": True} if classes else {}))
        metric = self.task.metric
        if self.task.loss == "BinaryCrossentropy":
            # The outputs are logits: one half as a probability is zero here.
            metric = keras.metrics.BinaryAccuracy("accuracy", threshold=0.0)
        model.compile(self.training.optimizer(hp), loss, metrics=[metric])
        # With its slots made now, a rung of Hyperband takes them over from the rung before.
        model.optimizer.build(model.trainable_variables)
        return model

    def adapt(self, model, x):
        model.adapt(x)

    def settings(self):
        training = self.training
        return {
            "model": "MLP",
            "hidden_layers": self.hidden_layers,
            "units": self.units,
            "activations": self.activations,
            "dropout": self.dropout,
            "batch_normalization": self.batch_normalization,
            "l1": self.l1,
            "l2": self.l2,
            "scaling": self.scaling,
            "task": self.task.name if self.task else self.task_name,
            "outputs": self.task.outputs if self.task else None,
            "input_shape": self.input_shape,
            **vars(training),
        }
