"""AWS Lambda's control plane: functions, versions, aliases, provisioned concurrency, and scripted invocations."""
