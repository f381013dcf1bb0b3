"""Runs of glueetl jobs, where the lane of Spark is on this machine: they start first, and their case comes last."""

import json
import sys

from athena_client import bucket, fetch, glue
from cases import case, expect, until
from glue_jobs import create, ended, start

spark_counts = """
import sys
from awsglue.context import GlueContext
from awsglue.job import Job
from awsglue.utils import getResolvedOptions
from pyspark.context import SparkContext

options = getResolvedOptions(sys.argv, ["JOB_NAME", "target"])
context = GlueContext(SparkContext.getOrCreate())
job = Job(context)
job.init(options["JOB_NAME"], options)
trades = context.spark_session.read.parquet("s3://golden/trades/").select("id", "ts", "symbol", "tags", "dt")
trades.coalesce(1).write.partitionBy("dt").parquet(options["target"])
job.commit()
"""
spark_fails = """
from pyspark.sql import SparkSession

SparkSession.builder.getOrCreate().read.parquet("s3://golden/missing/")
"""

by_spark = f"s3://{bucket}/by-spark/"
if json.loads(sys.argv[1]).get("hasSpark"):
    more = {"GlueVersion": "5.0", "WorkerType": "G.1X", "NumberOfWorkers": 2}
    create("spark_counts", spark_counts, kind="glueetl", **more)
    create("spark_fails", spark_fails, kind="glueetl", **more)
    spark_runs = {"spark_counts": start("spark_counts", target=by_spark), "spark_fails": start("spark_fails")}

    @case
    def spark():
        """Spark: of two glueetl runs one writes trades by day, which Athena reads; one fails and says why"""
        failed = ended("spark_fails", spark_runs["spark_fails"], seconds=300)
        expect(failed["JobRunState"], "FAILED")
        expect("PATH_NOT_FOUND" in failed["ErrorMessage"], True, failed["ErrorMessage"])
        run = ended("spark_counts", spark_runs["spark_counts"], seconds=300)
        expect((run["JobRunState"], run.get("ErrorMessage")), ("SUCCEEDED", None))
        expect(run["LogGroupName"], "/aws-glue/jobs")
        database = f"{bucket}-spark".replace("-", "_")
        glue.create_database(DatabaseInput={"Name": database})
        targets = {"S3Targets": [{"Path": by_spark}]}
        glue.create_crawler(Name="of_spark", Role="crawler", DatabaseName=database, Targets=targets)
        glue.start_crawler(Name="of_spark")
        is_ready = lambda: glue.get_crawler(Name="of_spark")["Crawler"]["State"] == "READY"
        until(is_ready, "what Spark wrote is crawled")
        wanted = "SELECT count(*), max(id), min(ts), max(ts), count(DISTINCT dt), sum(cardinality(tags)) FROM "
        expect(fetch(f"{wanted} {database}.by_spark"), fetch(f"{wanted} golden.trades"))
