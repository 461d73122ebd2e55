"""AWS stand-in: moto, made as strict and as slow as AWS where groundcrew depends on it.

One way through: server (HTTP) → gateway (who calls what, limits, faults, log) → a service of ours
(functions, cloudwatch, sts) or moto. All state of ours lives in one World per account and region.
"""
