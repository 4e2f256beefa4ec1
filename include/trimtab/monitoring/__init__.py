"""Profiles, distances, detection, retraining guards, report."""
