"""Prints what a catalog has of a database, by boto3: its partitions, crawlers and jobs, as one line of JSON.

Usage: read_catalog.py endpoint database table
"""

import json
import sys

import boto3


def main():
    endpoint, database, table = sys.argv[1:]
    glue = boto3.client(
        "glue",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="moto",
        aws_secret_access_key="moto",
    )
    pages = glue.get_paginator("get_partitions").paginate(DatabaseName=database, TableName=table)
    partitions = [partition for page in pages for partition in page["Partitions"]]
    crawlers = [crawler for page in glue.get_paginator("get_crawlers").paginate() for crawler in page["Crawlers"]]
    jobs = [job for page in glue.get_paginator("get_jobs").paginate() for job in page["Jobs"]]
    runs = [run for job in jobs for run in glue.get_job_runs(JobName=job["Name"])["JobRuns"]]
    print(json.dumps({"partitions": partitions, "crawlers": crawlers, "jobs": jobs, "runs": runs}, default=str))


if __name__ == "__main__":
    main()
