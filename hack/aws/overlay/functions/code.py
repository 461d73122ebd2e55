"""The code of a function: zip files, S3 objects (of moto) and container images."""

from __future__ import annotations

import hashlib
import io
import re
import zipfile
from base64 import b64encode
from typing import Any

from ..errors import AwsError, invalid_parameter
from .context import LambdaCall
from .model import Code

_IMAGE = re.compile(r"(?P<repository>[^@\s]+?)(?::(?P<tag>[\w.-]{1,128}))?(?:@sha256:(?P<digest>[0-9a-f]{64}))?")
_MAX_ZIP = 50 * 1024 * 1024  # AWS's limit for a zip file in the request


def read_code(call: LambdaCall, source: dict[str, Any], package: str) -> Code:
    """The code that a CreateFunction `Code` or an UpdateFunctionCode request names."""
    if package == "Image":
        if "ImageUri" not in source:
            raise invalid_parameter("Please provide ImageUri when updating a function with packageType Image.")
        return image_code(call, source["ImageUri"])
    if "ImageUri" in source:
        raise invalid_parameter("Please don't provide ImageUri when updating a function with packageType Zip.")
    if "ZipFile" in source:
        data = source["ZipFile"]
        if len(data) > _MAX_ZIP:
            message = f"Request must be smaller than {_MAX_ZIP} bytes for the {call.operation} operation"
            raise AwsError("RequestEntityTooLargeException", message, 413)
    elif source.get("S3Bucket") and source.get("S3Key"):
        data = call.services.s3_object(source["S3Bucket"], source["S3Key"], source.get("S3ObjectVersion"))
    else:
        raise invalid_parameter("Please provide a source for function code.")
    if not zipfile.is_zipfile(io.BytesIO(data)):
        raise invalid_parameter("Could not unzip uploaded file. Please check your file, then try to upload again.")
    return Code(b64encode(hashlib.sha256(data).digest()).decode(), len(data))


def image_code(call: LambdaCall, uri: str) -> Code:
    """An image: a tag becomes a digest now and stays it, wherever the tag goes later."""
    found = _IMAGE.fullmatch(uri)
    if not found or not (found["tag"] or found["digest"]):
        raise invalid_parameter(f"Source image {uri} is not valid. Provide a valid source image.")
    digest = call.services.image_digest(uri, found["digest"])
    if digest is None:
        raise invalid_parameter(f"Source image {uri} does not exist. Provide a valid source image.")
    return Code(digest, 0, uri, f"{found['repository']}@sha256:{digest}")
