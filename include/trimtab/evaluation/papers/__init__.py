"""The papers of a version: what its records say, in the forms that people and tools ask for."""
