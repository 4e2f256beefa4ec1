"""The embedded platform: its processes, ports and databases."""
