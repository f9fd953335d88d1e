"""Vectors on disk, and in the forms that other tools read."""
