"""How one trial is run, whichever of Keras Tuner's tuners has thought of it."""

import pathlib

import keras
import keras_tuner

from keras_dlnotes.tuning.guards import FailOnNonFinite, out_of_memory
from keras_dlnotes.tuning.hopeless import HopelessGradients
from keras_dlnotes.tuning.mending import back_up


class Ready(keras_tuner.HyperModel):
    """A hypermodel whose models have their optimizer's slots from the start.

    Weights are saved with the optimizer's. A model that has not trained yet could not take them
    over, and a rung of Hyperband would begin with an optimizer that remembers nothing.
    """

    def __init__(self, inner):
        super().__init__(getattr(inner, "name", None), getattr(inner, "tunable", True))
        self.inner = inner

    def declare_hyperparameters(self, hp):
        self.inner.declare_hyperparameters(hp)

    def build(self, hp):
        model = self.inner.build(hp)
        optimizer = getattr(model, "optimizer", None)
        if optimizer is not None and model.built and not optimizer.built:
            optimizer.build(model.trainable_variables)
        return model

    def fit(self, hp, model, *data, **how):
        return self.inner.fit(hp, model, *data, **how)


class Trials:
    """Mixed into a tuner; `tune` sets the attributes."""

    #: Where the data and the score come from, such as `sources.Arrays`.
    source = None
    #: Which of the source's parts is being trained, or was last.
    part = 0
    seed = 0
    watch = True
    log_dir = None

    def run_trial(self, trial, *_, callbacks=(), **fit):
        keras.utils.set_random_seed(self.seed + int(trial.trial_id))
        results = []
        try:
            for part, (train, held_out) in enumerate(self.source.parts):
                self.part = part
                results += super().run_trial(
                    trial,
                    *train,
                    validation_data=held_out,
                    callbacks=[*callbacks, *self._own_callbacks()],
                    **{"verbose": 0, **fit},
                )
        except keras_tuner.errors.FailedTrialError:
            raise
        except Exception as error:
            if out_of_memory(error):
                raise keras_tuner.errors.FailedTrialError(f"Out of memory: {error}") from error
            raise keras_tuner.errors.FatalRuntimeError(
                f"Trial {trial.trial_id} met a fault, so the search ends: "
                f"{type(error).__name__}: {error}"
            ) from error
        return results

    def _own_callbacks(self):
        own = [FailOnNonFinite()]
        if self.log_dir is not None:
            own.append(keras.callbacks.TensorBoard(str(self.log_dir)))
        if self.watch:
            own.append(HopelessGradients(log_dir=self.log_dir))
        return own

    def _get_checkpoint_fname(self, trial_id):
        # One file a fold: Hyperband goes on from a trial's weights, and those of another fold have
        # been trained on what this one holds out.
        path = pathlib.Path(super()._get_checkpoint_fname(trial_id))
        many = self.source is not None and len(self.source.parts) > 1
        return str(path.with_name(f"fold_{self.part + 1}_{path.name}") if many else path)

    def on_trial_begin(self, trial):
        super().on_trial_begin(trial)
        self._back_up(trial)

    def on_trial_end(self, trial):
        super().on_trial_end(trial)
        self._back_up(trial)

    def _back_up(self, trial):
        back_up(pathlib.Path(self.project_dir, "oracle.json"))
        back_up(pathlib.Path(self.get_trial_dir(trial.trial_id), "trial.json"))
