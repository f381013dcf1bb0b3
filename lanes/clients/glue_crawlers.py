"""boto3's calls of crawlers: definitions, states, the last crawl, history and metrics, and what is refused."""

import io
import json

import pyarrow as pa
import pyarrow.parquet as pq
from athena_client import bucket, code_of, glue, s3
from cases import case, expect, refused, until

database = f"{bucket}-crawled".replace("-", "_")
glue.create_database(DatabaseInput={"Name": database})
place = f"s3://{bucket}/crawled/"


def put_day(day, **columns):
    body = io.BytesIO()
    pq.write_table(pa.table({"id": [1, 2], "price": [1.5, 2.5], **columns}), body)
    s3.put_object(Bucket=bucket, Key=f"crawled/trades/day={day}/a.parquet", Body=body.getvalue())


def create(name, **more):
    glue.create_crawler(
        **{
            "Name": name,
            "Role": "crawler",
            "DatabaseName": database,
            "Targets": {"S3Targets": [{"Path": place, "Exclusions": ["**.tmp"]}]},
            **more,
        }
    )


def crawled(name):
    """Starts a crawler and waits until it is ready again: what it was."""
    glue.start_crawler(Name=name)
    until(lambda: glue.get_crawler(Name=name)["Crawler"]["State"] == "READY", f"{name} is ready")
    return glue.get_crawler(Name=name)["Crawler"]


def days():
    return sorted(one["Values"][0] for one in glue.get_partitions(DatabaseName=database, TableName="trades")["Partitions"])


@case
def crawling():
    """boto3: a crawler is created, runs, makes a table with partitions, and keeps its last crawl"""
    for day in (8, 9):
        put_day(day)
    s3.put_object(Bucket=bucket, Key="crawled/trades/left.tmp", Body=b"no parquet")
    create("trades", Description="of trades", Tags={"team": "quant"}, TablePrefix="")
    expect(glue.get_crawler(Name="trades")["Crawler"]["State"], "READY")
    expect("LastCrawl" in glue.get_crawler(Name="trades")["Crawler"], False)
    crawler = crawled("trades")
    expect((crawler["LastCrawl"]["Status"], crawler["Version"]), ("SUCCEEDED", 1))
    table = glue.get_table(DatabaseName=database, Name="trades")["Table"]
    columns = [(column["Name"], column["Type"]) for column in table["StorageDescriptor"]["Columns"]]
    expect(columns, [("id", "bigint"), ("price", "double")])
    expect([key["Name"] for key in table["PartitionKeys"]], ["day"])
    expect(table["Parameters"]["classification"], "parquet")
    expect(days(), ["8", "9"])
    put_day(10, size=[3, 4])
    crawled("trades")
    expect(days(), ["10", "8", "9"])
    names = [column["Name"] for column in glue.get_table(DatabaseName=database, Name="trades")["Table"]["StorageDescriptor"]["Columns"]]
    expect(names, ["id", "price", "size"])


@case
def history():
    """boto3: crawls are listed by page and by state, and counted as metrics"""
    create("counted", Targets={"S3Targets": [{"Path": f"{place}trades/day=8/"}]}, TablePrefix="counted_")
    for _ in range(3):
        crawled("counted")
    crawls = glue.list_crawls(CrawlerName="counted", MaxResults=2)
    rest = glue.list_crawls(CrawlerName="counted", MaxResults=2, NextToken=crawls["NextToken"])
    every = crawls["Crawls"] + rest["Crawls"]
    expect([crawl["State"] for crawl in every], ["COMPLETED"] * 3)
    expect(len({crawl["CrawlId"] for crawl in every}), 3)
    expect([json.loads(crawl["Summary"])["TABLE"]["ADD"] for crawl in every], [0, 0, 1])
    failed = [{"FieldName": "STATE", "FilterOperator": "EQ", "FieldValue": "FAILED"}]
    expect(glue.list_crawls(CrawlerName="counted", Filters=failed)["Crawls"], [])
    (metrics,) = glue.get_crawler_metrics(CrawlerNameList=["counted"])["CrawlerMetricsList"]
    expect((metrics["TablesCreated"], metrics["StillEstimating"]), (1, False))


@case
def failing():
    """boto3: a crawl of files that are none fails, says why, and changes nothing"""
    s3.put_object(Bucket=bucket, Key="broken/a.parquet", Body=b"PAR1 not at all PAR1")
    create("broken", Targets={"S3Targets": [{"Path": f"s3://{bucket}/broken/"}]})
    last = crawled("broken")["LastCrawl"]
    expect((last["Status"], "a.parquet" in last["ErrorMessage"]), ("FAILED", True))
    refused(lambda: glue.get_table(DatabaseName=database, Name="broken"), code_of, "EntityNotFoundException")


@case
def definitions():
    """boto3: crawlers are updated, listed, found by tag, scheduled, stopped and deleted"""
    create("defined", Tags={"made": "here"})
    glue.update_crawler(Name="defined", Description="next", SchemaChangePolicy={"UpdateBehavior": "LOG"})
    crawler = glue.get_crawler(Name="defined")["Crawler"]
    expect((crawler["Description"], crawler["Version"]), ("next", 2))
    expect(crawler["SchemaChangePolicy"]["UpdateBehavior"], "LOG")
    expect(crawler["Targets"]["S3Targets"][0]["Path"], place)
    expect("defined" in [one["Name"] for page in glue.get_paginator("get_crawlers").paginate(PaginationConfig={"PageSize": 1}) for one in page["Crawlers"]], True)
    expect(glue.list_crawlers(Tags={"made": "here"})["CrawlerNames"], ["defined"])
    found = glue.batch_get_crawlers(CrawlerNames=["defined", "missing"])
    expect(([one["Name"] for one in found["Crawlers"]], found["CrawlersNotFound"]), (["defined"], ["missing"]))
    glue.update_crawler_schedule(CrawlerName="defined", Schedule="cron(15 12 * * ? *)")
    expect(glue.get_crawler(Name="defined")["Crawler"]["Schedule"]["State"], "SCHEDULED")
    glue.stop_crawler_schedule(CrawlerName="defined")
    glue.delete_crawler(Name="defined")
    refused(lambda: glue.get_crawler(Name="defined"), code_of, "EntityNotFoundException")


@case
def refusals():
    """boto3: what cannot be asked of crawlers is refused by Glue's names"""
    create("asked")
    refused(lambda: create("asked"), code_of, "AlreadyExistsException")
    refused(lambda: create("elsewhere", Targets={"S3Targets": []}), code_of, "InvalidInputException")
    refused(lambda: create("timed", Schedule="every day"), code_of, "InvalidInputException")
    refused(lambda: glue.stop_crawler(Name="asked"), code_of, "CrawlerNotRunningException")
    refused(lambda: glue.start_crawler(Name="missing"), code_of, "EntityNotFoundException")
    refused(lambda: glue.delete_crawler(Name="missing"), code_of, "EntityNotFoundException")
    refused(lambda: glue.start_crawler_schedule(CrawlerName="asked"), code_of, "NoScheduleException")


@case
def stopping():
    """boto3: a crawler that runs is started no second time, and can be stopped"""
    for number in range(400):
        s3.put_object(Bucket=bucket, Key=f"many/t{number}/a.csv", Body=b"id,name\n1,a\n2,b\n")
    create("many", Targets={"S3Targets": [{"Path": f"s3://{bucket}/many/"}]}, TablePrefix="many_")
    glue.start_crawler(Name="many")
    refused(lambda: glue.start_crawler(Name="many"), code_of, "CrawlerRunningException")
    refused(lambda: glue.update_crawler(Name="many", Description="x"), code_of, "CrawlerRunningException")
    glue.stop_crawler(Name="many")
    until(lambda: glue.get_crawler(Name="many")["Crawler"]["State"] == "READY", "the crawler is ready")
    expect(glue.get_crawler(Name="many")["Crawler"]["LastCrawl"]["Status"], "CANCELLED")
    tables = glue.get_tables(DatabaseName=database, Expression="many_.*")["TableList"]
    expect(tables, [])
