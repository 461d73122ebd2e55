"""Wire formats: AWS REST-JSON, AWS JSON 1.0, AWS Query and Smithy RPC v2 CBOR, driven by botocore's service models.

Decoded parameters are plain: timestamps are seconds as float, blobs are bytes, everything else as in JSON.
"""
