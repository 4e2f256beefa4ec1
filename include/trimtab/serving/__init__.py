"""Models loaded only as the ledger says."""
