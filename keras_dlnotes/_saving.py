"""The one name under which everything of this package is saved."""

import keras

#: Decorator for every class and function that can stand in a saved model. The package name is part
#: of the file format: a model saved today holds ``keras_dlnotes>Name``, so it never changes.
serializable = keras.saving.register_keras_serializable(package="keras_dlnotes")
