"""The only modules that import mlflow, great_expectations, evidently, boto3 and deltalake."""
