"""What the cases of Athena share: the endpoint under test as any AWS client finds it, a bucket, and the golden answers."""

import itertools
import json
import os
import sys
import time
from datetime import date, datetime, timezone
from decimal import Decimal
from pathlib import Path

aws = json.loads(sys.argv[1])["aws"]
os.environ.update(
    AWS_ENDPOINT_URL=aws["endpoint"],
    AWS_DEFAULT_REGION=aws["region"],
    AWS_ACCESS_KEY_ID=aws["accessKeyId"],
    AWS_SECRET_ACCESS_KEY=aws["secretAccessKey"],
    AWS_MAX_ATTEMPTS="1",
)

import boto3  # noqa: E402

s3 = boto3.client("s3")
glue = boto3.client("glue")
athena = boto3.client("athena")

bucket = f"athena-clients-{os.getpid()}"
s3.create_bucket(Bucket=bucket)
results = f"s3://{bucket}/results/"
_numbers = itertools.count()

# The tables are there: checks/athena/golden-tables.js has put them.
golden = "golden"
_answers = Path(__file__).parents[2] / "packages" / "local" / "test" / "golden" / "answers.json"
queries = json.loads(_answers.read_text(encoding="utf-8"))["queries"]

rows = 100_000

# A query that nobody waits for.
endless = """SELECT count(*) FROM UNNEST(sequence(1, 10000)) a (x), UNNEST(sequence(1, 10000)) b (y),
    UNNEST(sequence(1, 10000)) c (z) WHERE x + y * z < 0"""


def new_place():
    """An empty place below the bucket."""
    return f"s3://{bucket}/{next(_numbers)}/"


def code_of(error):
    """The code an AWS service gives for what went wrong."""
    return error.response["Error"]["Code"] if hasattr(error, "response") else repr(error)


def _zoned(text):
    return datetime.fromisoformat(text.removesuffix(" UTC")).replace(tzinfo=timezone.utc)


_values = {
    "varchar": str,
    "bigint": int,
    "integer": int,
    "boolean": bool,
    "double": float,
    "decimal": Decimal,
    "date": date.fromisoformat,
    "timestamp": datetime.fromisoformat,
    "timestamp with time zone": _zoned,
    "array": list,
    "INTERVAL DAY TO SECOND": str,
}


def kinds_of(query):
    """The types of a golden query's columns without their numbers."""
    return [base_of(column["type"]) for column in query["columns"]]


def wanted_values(query):
    """The golden rows in Python's types."""
    kinds = kinds_of(query)
    return [
        tuple(None if value is None else _values[kind](value) for value, kind in zip(row, kinds))
        for row in query["rows"]
    ]


def base_of(type_name):
    """`decimal` of `decimal(18, 4)`, `timestamp with time zone` of `timestamp(3) with time zone`."""
    head, _, rest = type_name.partition("(")
    return head.strip() + (rest.rpartition(")")[2] if head != "array" else "")


def near(left, right):
    """Whether rows are equal; doubles to 13 digits, since Trino adds partial results in any order, and NaN is NaN."""
    if len(left) != len(right):
        return False
    return all(len(a) == len(b) and all(map(_is_near, a, b)) for a, b in zip(left, right))


def _is_near(left, right):
    if isinstance(left, float) and isinstance(right, float):
        return left == right or (left != left and right != right) or abs(left - right) <= 1e-13 * abs(right)
    return type(left) is type(right) and left == right


def fetch(sql):
    """The rows of a query as texts."""
    id = athena.start_query_execution(QueryString=sql, ResultConfiguration={"OutputLocation": results})["QueryExecutionId"]
    while (status := athena.get_query_execution(QueryExecutionId=id)["QueryExecution"]["Status"])["State"] in ("QUEUED", "RUNNING"):
        time.sleep(0.01)
    if status["State"] != "SUCCEEDED":
        raise AssertionError(f"{sql}: {status['StateChangeReason']}")
    pages = athena.get_paginator("get_query_results").paginate(QueryExecutionId=id)
    rows = [[cell.get("VarCharValue") for cell in row["Data"]] for page in pages for row in page["ResultSet"]["Rows"]]
    # The first one names the columns.
    return rows[1:]
