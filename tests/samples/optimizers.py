from keras_dlnotes import optimizers
from samples import Optimizer, TestedIn

SAMPLES = {
    "SGD": Optimizer(lambda: optimizers.SGD(0.05, momentum=0.5, nesterov=True, row_clipnorm=1.0)),
    "SWA": Optimizer(lambda: optimizers.SWA(optimizers.SGD(0.05), 2, 3)),
    "Adadelta": Optimizer(lambda: optimizers.Adadelta(1.0, rho=0.9, epsilon_inside_root=False)),
    "Adagrad": Optimizer(lambda: optimizers.Adagrad(0.05, 0.2)),
    "Adam": Optimizer(lambda: optimizers.Adam(0.01, amsgrad=True, weight_decay=0.01)),
    "AdamW": Optimizer(lambda: optimizers.AdamW(0.01, rows="lazy")),
    "Adamax": Optimizer(lambda: optimizers.Adamax(0.01, clipnorm=1.0)),
    "AdaptiveClip": Optimizer(lambda: optimizers.AdaptiveClip(optimizers.Adam(0.01), 0.1)),
    "GradientDescent": Optimizer(lambda: optimizers.GradientDescent(0.05, clipvalue=0.5)),
    "LazyAdam": Optimizer(lambda: optimizers.LazyAdam(0.01)),
    "Lookahead": Optimizer(lambda: optimizers.Lookahead(optimizers.Adam(0.01), 3, 0.4)),
    "Momentum": Optimizer(lambda: optimizers.Momentum(0.05, momentum=0.8, dampening=0.5)),
    "Nadam": Optimizer(lambda: optimizers.Nadam(0.01, beta_1=0.8)),
    "Nesterov": Optimizer(lambda: optimizers.Nesterov(0.05)),
    "RMSProp": Optimizer(lambda: optimizers.RMSProp(0.01, centered=True, momentum=0.5)),
    "RMSprop": Optimizer(lambda: optimizers.RMSprop(0.01)),
    "RectifiedAdam": Optimizer(lambda: optimizers.RectifiedAdam(0.01)),
    "compare": TestedIn("optimizers/test_compare.py"),
}
