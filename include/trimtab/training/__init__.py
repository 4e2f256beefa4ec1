"""Estimators by name, the split, the search, the packaged model."""
