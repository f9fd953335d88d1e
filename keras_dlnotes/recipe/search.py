"""Step six of the recipe: hyper-parameters by Keras Tuner."""

import tempfile

import keras

from keras_dlnotes import _checks


def search(data, held_out, trials, task, scaling, epochs, seed):
    """The best of some trials: arguments of `MLP`, learning rate and batch size, and a sentence."""
    from keras_dlnotes.tuning import MLPHyperModel, tune

    hypermodel = MLPHyperModel(
        optimizers={"adam": (1e-4, 1e-2)},
        schedules="constant",
        epochs=epochs,
        scaling=scaling,
        task=task.name,
        seed=seed,
    )
    with tempfile.TemporaryDirectory() as directory:
        result = tune(
            hypermodel,
            *data,
            "random",
            validation=held_out,
            max_trials=_checks.integer("tune", trials, 1),
            directory=directory,
            seed=seed or 0,
            callbacks=[keras.callbacks.EarlyStopping(patience=5)],
            verbose=0,
        )
        hp, best = result.best_hyperparameters(), result.best
    chosen = {
        "hidden": tuple(hp.get(f"units_{i + 1}") for i in range(hp.get("hidden_layers"))),
        "activation": hp.get("activation"),
        "dropout": hp.get("dropout"),
        "batch_normalization": hp.get("batch_normalization"),
        "l2": hp.get("l2"),
    }
    text = f"{len(result.trials)} trials, the best with {result.objective} {best['score']:.4g}"
    return chosen, float(hp.get("learning_rate_adam")), hp.get("batch_size"), text
