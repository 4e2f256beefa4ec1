"""Holds no DAG: its import error in Airflow lists every problem of every file in config/.

The files beside it build what can be used and never raise, because one import error would hide
every DAG of its file.
"""

from airflow.sdk import get_parsing_context

from trimtab_airflow.factory import raise_problems

if get_parsing_context().dag_id is None:  # a task has no use for it
    raise_problems()
