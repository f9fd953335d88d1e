from keras_dlnotes.layers.batch_normalization import BatchNormalization
from keras_dlnotes.layers.elu import ELU
from keras_dlnotes.layers.gelu import GELU
from keras_dlnotes.layers.leaky_relu import LeakyReLU
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
from keras_dlnotes.layers.rrelu import RReLU
from keras_dlnotes.layers.snake import Snake
from keras_dlnotes.layers.softmax import Softmax
from keras_dlnotes.layers.step import (
    Sign,
    Step,
)
from keras_dlnotes.layers.swish import Swish

__all__ = [
    "ELU",
    "GELU",
    "SELU",
    "BatchNormalization",
    "LeakyReLU",
    "LiSHT",
    "Linear",
    "Mish",
    "PReLU",
    "RReLU",
    "ReLU",
    "Sigmoid",
    "Sign",
    "Snake",
    "Softmax",
    "Softplus",
    "Step",
    "Swish",
    "Tanh",
    "TanhShrink",
]
