"""Sensors for people's own DAGs."""
