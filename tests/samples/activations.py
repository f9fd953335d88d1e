from samples import Activation

SAMPLES = {
    "elu": Activation(alpha=0.5),
    "gelu": Activation(approximate=True),
    "leaky_relu": Activation(negative_slope=0.1),
    "linear": Activation(),
    "lisht": Activation(),
    "mish": Activation(),
    "relu": Activation(),
    "rrelu": Activation(training=True, seed=1),
    "selu": Activation(),
    "sigmoid": Activation(),
    "sign": Activation(),
    "silu": Activation(),
    "snake": Activation(frequency=2.0),
    "softmax": Activation(),
    "softplus": Activation(),
    "step": Activation(straight_through=False),
    "swish": Activation(),
    "tanh": Activation(),
    "tanh_shrink": Activation(),
    "tanhshrink": Activation(),
}
