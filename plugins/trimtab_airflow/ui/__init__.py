"""What trimtab adds to Airflow's pages."""
