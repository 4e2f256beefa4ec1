"""Triggers, run by the triggerer on one event loop: nothing here may block it."""
