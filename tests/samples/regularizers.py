from keras_dlnotes import regularizers
from samples import Regularizer

SAMPLES = {
    "KLSparsity": Regularizer(lambda: regularizers.KLSparsity(rho=0.1, beta=0.5)),
    "L1": Regularizer(lambda: regularizers.L1(0.1)),
    "L1L2": Regularizer(lambda: regularizers.L1L2(0.1, 0.2)),
    "L2": Regularizer(lambda: regularizers.L2(0.1)),
}
