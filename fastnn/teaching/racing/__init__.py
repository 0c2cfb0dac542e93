"""Optimizers that race from one start, on a formula or on the loss of a model. Floor 5."""
