"""Amazon CloudWatch: metrics (as distributions), GetMetricData with metric math, alarms."""
