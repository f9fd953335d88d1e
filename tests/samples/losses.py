from keras_dlnotes import losses
from samples import Loss, LossFunction

SAMPLES = {
    "BinaryCrossentropy": Loss(
        lambda: losses.BinaryCrossentropy(label_smoothing=0.1), "binary", from_logits=False
    ),
    "CategoricalCrossentropy": Loss(
        lambda: losses.CategoricalCrossentropy(from_logits=True), "one_hot"
    ),
    "Huber": Loss(lambda: losses.Huber(delta=2.0)),
    "MeanAbsoluteError": Loss(lambda: losses.MeanAbsoluteError()),
    "MeanSquaredError": Loss(lambda: losses.MeanSquaredError(form="1/2")),
    "SoftmaxLogLoss": Loss(lambda: losses.SoftmaxLogLoss(), "integers"),
    "SparseCategoricalCrossentropy": Loss(
        lambda: losses.SparseCategoricalCrossentropy(ignore_class=1), "integers", from_logits=False
    ),
    "binary_crossentropy": LossFunction("binary", {"from_logits": True}),
    "categorical_crossentropy": LossFunction("one_hot"),
    "huber": LossFunction(kwargs={"delta": 0.5}),
    "mean_absolute_error": LossFunction(),
    "mean_squared_error": LossFunction(kwargs={"form": "1/2n"}),
    "softmax_log_loss": LossFunction("integers"),
    "sparse_categorical_crossentropy": LossFunction("integers", {"from_logits": True}),
}
