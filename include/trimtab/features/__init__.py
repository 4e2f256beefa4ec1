"""Joins as of a time, and the scikit-learn preprocessing of a model."""
