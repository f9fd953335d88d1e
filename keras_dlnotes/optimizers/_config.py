"""The config of an optimizer: what the constructors of its classes take, and how it comes back."""

import inspect

import keras

from keras_dlnotes.optimizers._hyperparameters import hyperparameters

VARIADIC = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


class Configured(keras.optimizers.Optimizer):
    """A Keras optimizer whose constructors' arguments are its config, hyper-parameters as now."""

    def get_config(self):
        config = super().get_config()
        for cls in type(self).__mro__:
            if cls is Configured:
                break
            for name, parameter in inspect.signature(cls.__init__).parameters.items():
                if name != "self" and parameter.kind not in VARIADIC:
                    config.setdefault(name, getattr(self, name))
        for name, hyperparameter in hyperparameters(type(self)).items():
            config[name] = hyperparameter.config(self)
        return config

    @classmethod
    def from_config(cls, config, custom_objects=None):
        config = dict(config)
        rate = config.get("learning_rate")
        # A schedule or a callback may end at zero; a saved model must load all the same.
        at_rest = isinstance(rate, (int, float)) and rate <= 0
        if at_rest:
            config["learning_rate"] = 1.0
        for name in hyperparameters(cls):
            if isinstance(config.get(name), dict):
                config[name] = keras.saving.deserialize_keras_object(config[name], custom_objects)
        optimizer = super().from_config(config, custom_objects)
        if at_rest:
            optimizer.learning_rate = rate
        return optimizer
