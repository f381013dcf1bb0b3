"""boto3 against the Glue of `{"aws": {"endpoint": ...}}`, the first argument."""

import datetime
import json
import os
import sys

import boto3
from botocore.config import Config
from cases import case, expect, refused, run_cases, until

aws = json.loads(sys.argv[1])["aws"]
glue = boto3.client(
    "glue",
    endpoint_url=aws["endpoint"],
    region_name=aws["region"],
    aws_access_key_id=aws["accessKeyId"],
    aws_secret_access_key=aws["secretAccessKey"],
    # Without retries, and without the checks of the client, so that the service itself has to refuse.
    config=Config(retries={"total_max_attempts": 1}, parameter_validation=False),
)
database = f"clients_{os.getpid()}"
glue.create_database(DatabaseInput={"Name": database}, Tags={"made": "by boto3"})


def code_of(error):
    return error.response["Error"]["Code"] if hasattr(error, "response") else repr(error)


def create_table(name, **more):
    columns = [{"Name": "price", "Type": "decimal(18,4)"}, {"Name": "size", "Type": "bigint"}]
    table = {
        "Name": name,
        "StorageDescriptor": {"Columns": columns, "Location": f"s3://lake/{name}/"},
        "PartitionKeys": [{"Name": "day", "Type": "int"}],
        **more,
    }
    glue.create_table(DatabaseName=database, TableInput=table)
    return table


@case
def versions():
    """boto3: a table has versions, which lock its updates"""
    table = create_table("Versioned")
    found = glue.get_table(DatabaseName=database, Name="VERSIONED")["Table"]
    expect((found["Name"], found["VersionId"]), ("versioned", "0"))
    expect(isinstance(found["CreateTime"], datetime.datetime), True, "time")
    update = {"DatabaseName": database, "TableInput": {**table, "Description": "next"}, "VersionId": "0"}
    glue.update_table(**update)
    refused(lambda: glue.update_table(**update), code_of, "ConcurrentModificationException")
    pages = glue.get_paginator("get_table_versions").paginate(
        DatabaseName=database, TableName="versioned", PaginationConfig={"PageSize": 1}
    )
    expect([version["VersionId"] for page in pages for version in page["TableVersions"]], ["1", "0"])


@case
def partitions():
    """boto3: 1,000 partitions in batches, by pages, segments and an expression"""
    create_table("parts")
    table = {"DatabaseName": database, "TableName": "parts"}
    for start in range(0, 1000, 100):
        batch = [{"Values": [str(day)]} for day in range(start, start + 100)]
        expect(glue.batch_create_partition(**table, PartitionInputList=batch).get("Errors", []), [])
    again = glue.batch_create_partition(**table, PartitionInputList=[{"Values": ["7"]}])["Errors"]
    expect(again[0]["ErrorDetail"]["ErrorCode"], "AlreadyExistsException")
    too_many = [{"Values": [str(day)]} for day in range(101)]
    refused(
        lambda: glue.batch_create_partition(**table, PartitionInputList=too_many), code_of, "ValidationException"
    )
    listing = glue.get_paginator("get_partitions")

    def days(**request):
        pages = listing.paginate(**table, PaginationConfig={"PageSize": 70}, **request)
        return sorted(int(one["Values"][0]) for page in pages for one in page["Partitions"])

    expect(days(), list(range(1000)))
    segments = [days(Segment={"SegmentNumber": number, "TotalSegments": 4}) for number in range(4)]
    expect(sorted(day for segment in segments for day in segment), list(range(1000)))
    expect(days(Expression="day BETWEEN 100 AND 199 OR day = 7"), [7, *range(100, 200)])
    keys = [{"Values": [str(day)]} for day in range(990, 1010)]
    expect(len(glue.batch_get_partition(**table, PartitionsToGet=keys)["Partitions"]), 10)


@case
def indexes():
    """boto3: a partition index becomes active, and goes"""
    create_table("indexed")
    table = {"DatabaseName": database, "TableName": "indexed"}
    glue.create_partition_index(**table, PartitionIndex={"IndexName": "by_day", "Keys": ["day"]})

    def status():
        return [index["IndexStatus"] for index in glue.get_partition_indexes(**table)["PartitionIndexDescriptorList"]]

    until(lambda: status() == ["ACTIVE"], "the index is active")
    glue.delete_partition_index(**table, IndexName="by_day")
    until(lambda: status() == [], "the index is gone")


@case
def statistics():
    """boto3: column statistics come back as they were given"""
    create_table("counted")
    table = {"DatabaseName": database, "TableName": "counted"}
    counts = {"NumberOfNulls": 1, "NumberOfDistinctValues": 2}
    bound = {"UnscaledValue": b"\x01\xff", "Scale": 4}
    analyzed = datetime.datetime(2024, 3, 8, 12, tzinfo=datetime.timezone.utc)
    price = {
        "ColumnName": "price",
        "ColumnType": "decimal(18,4)",
        "AnalyzedTime": analyzed,
        "StatisticsData": {
            "Type": "DECIMAL",
            "DecimalColumnStatisticsData": {"MinimumValue": bound, "MaximumValue": bound, **counts},
        },
    }
    errors = glue.update_column_statistics_for_table(**table, ColumnStatisticsList=[price])["Errors"]
    expect(errors, [])
    found = glue.get_column_statistics_for_table(**table, ColumnNames=["price", "size"])
    expect(found["ColumnStatisticsList"], [price])
    expect([error["ColumnName"] for error in found["Errors"]], ["size"])


@case
def tags():
    """boto3: tags of a database"""
    catalog = glue.get_database(Name=database)["Database"]["CatalogId"]
    arn = f"arn:aws:glue:{aws['region']}:{catalog}:database/{database}"
    glue.tag_resource(ResourceArn=arn, TagsToAdd={"team": "quant"})
    expect(glue.get_tags(ResourceArn=arn)["Tags"], {"made": "by boto3", "team": "quant"})


run_cases()
