"""Learned scorecards: panel, training, validation and the registry of models."""
