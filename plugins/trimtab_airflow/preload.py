"""Imported once by the process that task processes are forked from: 13.7 s -> 0.3 s per task.

Libraries and Airflow's own modules only. Neither our code nor the user's: what is imported here
stays as it was until the scheduler or the worker starts again, and an edit must be live in the
next task. Importing is all it may do: forks would inherit threads, connections and work broken.
"""

import gc
import importlib
import logging
import warnings

log = logging.getLogger("great_expectations").setLevel(logging.WARNING)  # tells 40 lines at import
with warnings.catch_warnings():
    # skops asks every module that is there for every name of scipy, Airflow's deprecated ones too:
    # thousands of warnings. So Airflow comes last, and where it was first, they are not shown.
    warnings.simplefilter("ignore")
    preload(_LIBRARIES)
    preload(_AIRFLOW)
# Everything so far goes to a generation that is never collected, so that forks keep sharing it:
# 278 -> 112 MB of own memory per idle worker.
gc.collect()
gc.freeze()
