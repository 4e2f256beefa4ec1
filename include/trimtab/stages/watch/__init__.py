"""The families of signals: each reads a look at one window and returns what it compared."""
