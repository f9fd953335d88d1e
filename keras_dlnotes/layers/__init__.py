"""Layers: activations with parameters, normalization, noise, scaling, and wrappers."""

from keras_dlnotes.layers.batch_normalization import BatchNormalization
from keras_dlnotes.layers.corruption import (
    GaussianCorruption,
    MaskingCorruption,
    SaltAndPepperCorruption,
)
from keras_dlnotes.layers.dropout import AlphaDropout, Dropout
from keras_dlnotes.layers.elu import ELU
from keras_dlnotes.layers.gelu import GELU
from keras_dlnotes.layers.leaky_relu import LeakyReLU
from keras_dlnotes.layers.maxout import Maxout, MaxoutDense
from keras_dlnotes.layers.min_max_scaling import MinMaxScaling
from keras_dlnotes.layers.plain_activations import (
    SELU,
    Linear,
    LiSHT,
    Mish,
    Sigmoid,
    Softplus,
    Tanh,
    TanhShrink,
)
from keras_dlnotes.layers.prelu import PReLU
from keras_dlnotes.layers.relu import ReLU
from keras_dlnotes.layers.residual import Residual
from keras_dlnotes.layers.rrelu import RReLU
from keras_dlnotes.layers.snake import Snake
from keras_dlnotes.layers.softmax import Softmax
from keras_dlnotes.layers.standardization import Standardization
from keras_dlnotes.layers.step import (
    Sign,
    Step,
)
from keras_dlnotes.layers.swish import Swish
from keras_dlnotes.layers.weight_normalization import WeightNormalization

__all__ = [
    "ELU",
    "GELU",
    "SELU",
    "AlphaDropout",
    "BatchNormalization",
    "Dropout",
    "GaussianCorruption",
    "LeakyReLU",
    "LiSHT",
    "Linear",
    "MaskingCorruption",
    "Maxout",
    "MaxoutDense",
    "MinMaxScaling",
    "Mish",
    "PReLU",
    "RReLU",
    "ReLU",
    "Residual",
    "SaltAndPepperCorruption",
    "Sigmoid",
    "Sign",
    "Snake",
    "Softmax",
    "Softplus",
    "Standardization",
    "Step",
    "Swish",
    "Tanh",
    "TanhShrink",
    "WeightNormalization",
]
