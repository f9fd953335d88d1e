import keras_tuner
import numpy as np
import pytest

from keras_dlnotes.schedules import OneCycle
from keras_dlnotes.tuning import AutoencoderHyperModel, MLPHyperModel
from keras_dlnotes.tuning.guards import ScheduledRate

X = np.random.default_rng(0).normal(size=(60, 4)).astype("float32")
LABELS = {
    "binary": (X[:, 0] > 0).astype(int),
    "multiclass": np.arange(60) % 3,
    "multiclass_one_hot": np.eye(3)[np.arange(60) % 3],
    "regression": X @ np.ones((4, 2)),
}


@pytest.mark.parametrize("task", LABELS)
def test_builds_for_each_task(task):
    hypermodel = MLPHyperModel(seed=0)
    hypermodel.prepare(X, LABELS[task])
    model = hypermodel.build(keras_tuner.HyperParameters())
    logs = model.test_on_batch(X, LABELS[task], return_dict=True)
    assert np.isfinite(logs["loss"])
    assert hypermodel.default_objective == f"val_{'loss' if task == 'regression' else 'accuracy'}"


def test_every_name_is_there_whatever_the_values():
    hypermodel = MLPHyperModel(hidden_layers=(1, 4))
    hypermodel.prepare(X, LABELS["binary"])
    names = set()
    for layers in (1, 4):
        hp = keras_tuner.HyperParameters()
        hp.values["hidden_layers"] = layers
        hypermodel.build(hp)
        names.add(frozenset(hp.values))
    assert len(names) == 1
    units = {f"units_{number}" for number in range(1, 5)}
    training = {"optimizer", "learning_rate_adam", "schedule", "batch_size", "epochs"}
    assert units | training < set(next(iter(names)))


def test_values_reach_the_model():
    hypermodel = MLPHyperModel(hidden_layers=2, units=16, activations="tanh", dropout=0.25, l2=0.1)
    hypermodel.prepare(X, LABELS["binary"])
    model = hypermodel.build(keras_tuner.HyperParameters())
    dense = [layer for layer in model.layers if layer.name.startswith("dense")]
    assert [layer.units for layer in dense] == [16, 16]
    assert float(dense[0].kernel_regularizer.l2) == pytest.approx(0.1)
    assert [layer.rate for layer in model.layers if "dropout" in layer.name] == [0.25, 0.25]


def test_autoencoders_build():
    hypermodel = AutoencoderHyperModel(code_size=3, hidden_layers=(0, 2), tied=False)
    hypermodel.prepare(X)
    hp = keras_tuner.HyperParameters()
    hp.values["hidden_layers"] = 2
    model = hypermodel.build(hp)
    assert model.encode(X).shape == (60, 3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"units": 0}, "Received: units=0"),
        ({"units": (64, 8)}, r"Received: units=\(64, 8\)"),
        ({"dropout": (0, 1)}, "Received: dropout=1"),
        ({"activations": ()}, r"Received: activations=\(\)"),
        ({"optimizers": {"lion": (1, 2)}}, "Received: optimizers='lion'"),
        ({"optimizers": {"adam": (0, 1)}}, "Received: optimizers=0"),
        ({"schedules": ("warp",)}, "Received: schedules='warp'"),
        ({"batch_sizes": (0,)}, "Received: batch_sizes=0"),
        ({"epochs": 0}, "Received: epochs=0"),
        ({"scaling": "log"}, "Received: scaling='log'"),
    ],
)
def test_rejects(arguments, message):
    with pytest.raises(ValueError, match=message):
        MLPHyperModel(**arguments)


def test_a_promoted_trial_goes_on_where_its_curve_was():
    import keras

    def rates(initial_epoch, epochs):
        model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
        model.compile("sgd", "mse")
        seen = []
        watch = keras.callbacks.LambdaCallback(
            on_train_batch_end=lambda batch, logs: seen.append(float(model.optimizer.learning_rate))
        )
        model.fit(
            X,
            X[:, 0],
            batch_size=20,
            epochs=epochs,
            initial_epoch=initial_epoch,
            verbose=0,
            callbacks=[ScheduledRate("one_cycle", 0.5, 6, initial_epoch), watch],
        )
        return seen

    whole = rates(0, 6)
    np.testing.assert_allclose(rates(0, 2) + rates(2, 6), whole)
    np.testing.assert_allclose(whole, OneCycle(0.5, 18).curve(18), 1e-6)
