"""Autoencoders: networks that are trained to give back what they are shown."""

from keras_dlnotes.models.autoencoders.denoising import DenoisingAutoencoder
from keras_dlnotes.models.autoencoders.linear import LinearAutoencoder
from keras_dlnotes.models.autoencoders.sparse import SparseAutoencoder
from keras_dlnotes.models.autoencoders.stacked import StackedAutoencoder

__all__ = [
    "DenoisingAutoencoder",
    "LinearAutoencoder",
    "SparseAutoencoder",
    "StackedAutoencoder",
]
