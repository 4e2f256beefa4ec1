"""Sources, reading as text, casting by contract, quarantine, versions."""
