from keras_dlnotes import initializers
from samples import Initializer, TestedIn

SAMPLES = {
    "Constant": Initializer(lambda: initializers.Constant(0.5)),
    "FanInUniform": Initializer(lambda: initializers.FanInUniform(seed=1)),
    "GlorotNormal": Initializer(lambda: initializers.GlorotNormal(1, mode="fan_in")),
    "GlorotUniform": Initializer(lambda: initializers.GlorotUniform(1, kernel="transposed")),
    "HeNormal": Initializer(lambda: initializers.HeNormal(1, truncated=False)),
    "HeUniform": Initializer(lambda: initializers.HeUniform(seed=1)),
    "LSUVReport": TestedIn("test_initializers.py"),
    "LargeNormal": Initializer(lambda: initializers.LargeNormal(seed=1)),
    "LecunNormal": Initializer(lambda: initializers.LecunNormal(seed=1)),
    "LecunUniform": Initializer(lambda: initializers.LecunUniform(seed=1)),
    "RandomNormal": Initializer(lambda: initializers.RandomNormal(0.1, 0.2, 1)),
    "RandomUniform": Initializer(lambda: initializers.RandomUniform(-1.0, 1.0, 1)),
    "SmallNormal": Initializer(lambda: initializers.SmallNormal(seed=1)),
    "TruncatedNormal": Initializer(lambda: initializers.TruncatedNormal(seed=1)),
    "VarianceScaling": Initializer(
        lambda: initializers.VarianceScaling(2.0, "fan_out", "uniform", 1, [0], [1])
    ),
    "XavierNormal": Initializer(lambda: initializers.XavierNormal(seed=1)),
    "XavierUniform": Initializer(lambda: initializers.XavierUniform(seed=1)),
    "Zeros": Initializer(lambda: initializers.Zeros()),
    "compute_fans": TestedIn("test_initializers.py"),
    "lsuv_scale": TestedIn("test_initializers.py"),
}
