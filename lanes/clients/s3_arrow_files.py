"""pyarrow's S3 file system over the endpoint under test."""

from pyarrow import fs
from s3_client import aws

scheme, _, host = aws["endpoint"].partition("://")
files = fs.S3FileSystem(
    access_key=aws["accessKeyId"],
    secret_key=aws["secretAccessKey"],
    region=aws["region"],
    endpoint_override=host,
    scheme=scheme,
    allow_bucket_creation=True,
    allow_bucket_deletion=True,
    background_writes=True,
)
