"""The search space of denoising autoencoders."""

from keras_dlnotes import _checks
from keras_dlnotes.models.autoencoders.denoising import CORRUPTIONS, DenoisingAutoencoder
from keras_dlnotes.models.data import checked_features
from keras_dlnotes.tuning.hypermodel import TrainedHyperModel
from keras_dlnotes.tuning.spaces import (
    TrainingSpace,
    checked_bounds,
    checked_choices,
    choice,
    integer,
    real,
)


class AutoencoderHyperModel(TrainedHyperModel):
    """Denoising autoencoders: size of the code, depth, width, activation, noise.

    Each range is an argument: a pair is searched, a single value is fixed. Names: `code_size`,
    `hidden_layers`, `units_1` ..., `activation`, `corruption`, `noise`, `tied` and those of the
    training.

    Args:
        code_size: Integer or pair. Defaults to (8, 64).
        hidden_layers: Integer or pair. Layers between input and code. Defaults to (0, 2).
        units: Integer or pair. Defaults to (32, 256).
        activations: Names.
        corruptions: Of "gaussian", "masking" and "salt_and_pepper".
        noise: Float or pair. Defaults to (0.0, 0.5).
        tied: True, False or both. Defaults to (False, True).
        output_activation: "sigmoid" for data in [0, 1]. Defaults to None.
        optimizers, schedules, batch_sizes, epochs, seed: as in `MLPHyperModel`.

    Example:
        >>> import keras_tuner
        >>> hypermodel = AutoencoderHyperModel(code_size=4, seed=0)
        >>> hypermodel.prepare(np.ones((10, 6)))
        >>> hypermodel.build(keras_tuner.HyperParameters()).code_size
        4
    """

    default_objective = "val_loss"

    def __init__(
        self,
        code_size=(8, 64),
        hidden_layers=(0, 2),
        units=(32, 256),
        activations=("relu", "elu", "tanh"),
        corruptions=("gaussian", "masking"),
        noise=(0.0, 0.5),
        tied=(False, True),
        optimizers=None,
        schedules=("constant", "cosine", "one_cycle"),
        batch_sizes=(32, 64, 128),
        epochs=(10, 50),
        *,
        output_activation=None,
        seed=None,
    ):
        rates = optimizers or {"adam": (1e-4, 1e-2)}
        super().__init__(TrainingSpace(rates, schedules, batch_sizes, epochs), seed)
        self.code_size = checked_bounds("code_size", code_size, _checks.integer, 1)
        self.hidden_layers = checked_bounds("hidden_layers", hidden_layers, _checks.integer, 0)
        self.units = checked_bounds("units", units, _checks.integer, 1)
        self.activations = checked_choices("activations", activations)
        self.corruptions = checked_choices("corruptions", corruptions, CORRUPTIONS)
        self.noise = checked_bounds("noise", noise, _checks.number, "[0, 1)")
        self.tied = checked_choices("tied", tied, (True, False))
        self.output_activation = output_activation

    def prepare(self, x, y=None):
        self.input_shape = tuple(checked_features(x).shape[1:])

    def build(self, hp):
        if self.input_shape is None:
            raise ValueError("What to build follows from the data: call `prepare(x)` first.")
        layers = integer(hp, "hidden_layers", self.hidden_layers)
        widths = [
            integer(hp, f"units_{number + 1}", self.units, sampling="log")
            for number in range(self.hidden_layers[1])
        ]
        model = DenoisingAutoencoder(
            integer(hp, "code_size", self.code_size, sampling="log"),
            widths[:layers],
            choice(hp, "corruption", self.corruptions),
            real(hp, "noise", self.noise),
            choice(hp, "activation", self.activations),
            output_activation=self.output_activation,
            tied=choice(hp, "tied", self.tied),
            seed=self.seed,
        )
        self.training.declare(hp)
        model.compile(self.training.optimizer(hp), "mse")
        model.build((None, *self.input_shape))
        model.optimizer.build(model.trainable_variables)
        return model

    def fit(self, hp, model, x, y=None, **more):
        return super().fit(hp, model, x, x if y is None else y, **more)

    def settings(self):
        own = ("code_size", "hidden_layers", "units", "activations", "corruptions", "noise", "tied")
        return {
            "model": "DenoisingAutoencoder",
            **{name: getattr(self, name) for name in own},
            "output_activation": self.output_activation,
            "input_shape": self.input_shape,
            **vars(self.training),
        }
