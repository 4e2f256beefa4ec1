"""The figures of a version, each from numbers to PNG bytes; nothing here has global state."""
