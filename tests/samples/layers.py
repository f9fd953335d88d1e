import keras

from keras_dlnotes import layers
from samples import Layer


def adapt(layer, batch):
    layer.adapt(batch)


SAMPLES = {
    "BatchNormalization": Layer(
        lambda: layers.BatchNormalization(
            momentum=0.8, gamma_regularizer=keras.regularizers.L2(0.1)
        )
    ),
    "AlphaDropout": Layer(lambda: layers.AlphaDropout(0.2, seed=1), random=True),
    "Dropout": Layer(lambda: layers.Dropout(0.3, (None, 1, None), 1, scaling="notes"), random=True),
    "GaussianCorruption": Layer(lambda: layers.GaussianCorruption(2.0, seed=1), random=True),
    "MaskingCorruption": Layer(lambda: layers.MaskingCorruption(0.2, seed=1), random=True),
    "Maxout": Layer(lambda: layers.Maxout(2), shape=(4, 3, 6)),
    "MaxoutDense": Layer(
        lambda: layers.MaxoutDense(4, 3, bias="shared", bias_constraint="non_neg")
    ),
    "MinMaxScaling": Layer(lambda: layers.MinMaxScaling(-1, 2, clip=True), prepare=adapt),
    "Residual": Layer(lambda: layers.Residual(keras.layers.Dense(4, "tanh"), "relu")),
    "SaltAndPepperCorruption": Layer(
        lambda: layers.SaltAndPepperCorruption(0.2, seed=1, low=-1), random=True
    ),
    "Standardization": Layer(lambda: layers.Standardization(nan="skip"), prepare=adapt),
    "WeightNormalization": Layer(lambda: layers.WeightNormalization(keras.layers.Dense(4, "relu"))),
    "ELU": Layer(lambda: layers.ELU(0.5)),
    "GELU": Layer(lambda: layers.GELU(approximate=True)),
    "LeakyReLU": Layer(lambda: layers.LeakyReLU(0.01)),
    "LiSHT": Layer(lambda: layers.LiSHT()),
    "Linear": Layer(lambda: layers.Linear()),
    "Mish": Layer(lambda: layers.Mish()),
    "PReLU": Layer(lambda: layers.PReLU("he_normal")),
    "RReLU": Layer(lambda: layers.RReLU(seed=3), random=True),
    "ReLU": Layer(lambda: layers.ReLU(max_value=1.5, negative_slope=0.1, threshold=0.2)),
    "SELU": Layer(lambda: layers.SELU()),
    "Sigmoid": Layer(lambda: layers.Sigmoid()),
    "Sign": Layer(lambda: layers.Sign()),
    "Snake": Layer(lambda: layers.Snake(2.0, learnable=True)),
    "Softmax": Layer(lambda: layers.Softmax()),
    "Softplus": Layer(lambda: layers.Softplus()),
    "Step": Layer(lambda: layers.Step(at_zero=0.5)),
    "Swish": Layer(lambda: layers.Swish(1.5)),
    "Tanh": Layer(lambda: layers.Tanh()),
    "TanhShrink": Layer(lambda: layers.TanhShrink()),
}
