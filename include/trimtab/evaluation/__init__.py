"""The gate: metrics, bootstrap, rules, slices, verdict, report."""
