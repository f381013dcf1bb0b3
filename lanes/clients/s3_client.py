"""What the S3 cases share: clients of the endpoint under test, and a bucket."""

import itertools
import json
import os
import sys

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

aws = json.loads(sys.argv[1])["aws"]
_numbers = itertools.count()


def client(secret=aws["secretAccessKey"], endpoint=aws["endpoint"], style="path", **settings):
    """A boto3 client without retries, so that an answer that is wrong once fails."""
    return boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name=aws["region"],
        aws_access_key_id=aws["accessKeyId"],
        aws_secret_access_key=secret,
        config=Config(s3={"addressing_style": style}, retries={"total_max_attempts": 1}, **settings),
    )


s3 = client()


def create_bucket():
    """Creates a bucket of a new name."""
    name = f"clients-{os.getpid()}-{next(_numbers)}"
    s3.create_bucket(Bucket=name)
    return name


bucket = create_bucket()


def code_of(error):
    """The code S3 gives for what went wrong; HEAD, which has no body, gives the status."""
    return error.response["Error"]["Code"] if isinstance(error, ClientError) else repr(error)
