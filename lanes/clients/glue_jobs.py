"""boto3's calls of jobs and their runs, which run scripts of Python shell."""

from athena_client import bucket, code_of, glue, s3
from cases import case, expect, refused, until

ends = ("SUCCEEDED", "FAILED", "STOPPED", "TIMEOUT", "ERROR")


def create(name, script, kind="pythonshell", **more):
    key = f"scripts/{name}.py"
    s3.put_object(Bucket=bucket, Key=key, Body=script.encode())
    command = {"Name": kind, "ScriptLocation": f"s3://{bucket}/{key}", "PythonVersion": "3"}
    glue.create_job(Name=name, Role="job", Command=command, **more)


def start(name, **arguments):
    return glue.start_job_run(JobName=name, Arguments={f"--{key}": value for key, value in arguments.items()})["JobRunId"]


def run_of(name, id):
    return glue.get_job_run(JobName=name, RunId=id)["JobRun"]


def ended(name, id, seconds=30):
    until(lambda: run_of(name, id)["JobRunState"] in ends, f"a run of {name} has ended", seconds)
    return run_of(name, id)


reads = """
import sys
import boto3
from awsglue.utils import getResolvedOptions

options = getResolvedOptions(sys.argv, ["JOB_NAME", "database", "bucket"])
tables = boto3.client("glue").get_tables(DatabaseName=options["database"])["TableList"]
names = ",".join(table["Name"] for table in tables)
boto3.client("s3").put_object(Bucket=options["bucket"], Key="from-job", Body=(options["JOB_NAME"] + ":" + names).encode())
"""


@case
def running():
    """boto3: a run of a Python shell job reads Glue and writes S3, by way of its states"""
    create("reads", reads, DefaultArguments={"--database": "golden"}, Tags={"team": "quant"}, MaxCapacity=0.0625)
    id = start("reads", bucket=bucket)
    run = run_of("reads", id)
    expect((run["JobRunState"] in ("STARTING", "RUNNING"), run["Attempt"], run["JobName"]), (True, 0, "reads"))
    run = ended("reads", id)
    expect((run["JobRunState"], run.get("ErrorMessage")), ("SUCCEEDED", None))
    expect((run["StartedOn"] <= run["CompletedOn"], run["Arguments"]), (True, {"--bucket": bucket}))
    expect(s3.get_object(Bucket=bucket, Key="from-job")["Body"].read(), b"reads:quotes,trades")


@case
def failing():
    """boto3: a run fails with what its script says, and again as often as MaxRetries"""
    create("fails", "raise ValueError('no trades today')", MaxRetries=1)
    run = ended("fails", start("fails"))
    expect(run["JobRunState"], "FAILED")
    expect("ValueError: no trades today" in run["ErrorMessage"], True, run["ErrorMessage"])
    runs = lambda: glue.get_job_runs(JobName="fails")["JobRuns"]
    until(lambda: [each["JobRunState"] for each in runs()] == ["FAILED", "FAILED"], "the second attempt has failed")
    expect([each["Attempt"] for each in runs()], [1, 0])
    expect(runs()[0]["PreviousRunId"], run["Id"])


@case
def stopping():
    """boto3: runs are stopped in a batch, and no further one runs beside them"""
    create("waits", "import time\ntime.sleep(600)", ExecutionProperty={"MaxConcurrentRuns": 2})
    ids = [start("waits") for _ in range(2)]
    refused(lambda: start("waits"), code_of, "ConcurrentRunsExceededException")
    answer = glue.batch_stop_job_run(JobName="waits", JobRunIds=[*ids, "jr_missing"])
    expect(sorted(each["JobRunId"] for each in answer["SuccessfulSubmissions"]), sorted(ids))
    expect([each["ErrorDetail"]["ErrorCode"] for each in answer["Errors"]], ["EntityNotFoundException"])
    expect([ended("waits", id)["JobRunState"] for id in ids], ["STOPPED", "STOPPED"])
    pages = glue.get_paginator("get_job_runs").paginate(JobName="waits", PaginationConfig={"PageSize": 1})
    expect([each["Id"] for page in pages for each in page["JobRuns"]], ids[::-1])


@case
def definitions():
    """boto3: jobs are updated, listed, found by tag, and deleted"""
    create("defined", "", Description="first", Tags={"made": "here"})
    command = {"Name": "pythonshell", "ScriptLocation": f"s3://{bucket}/scripts/defined.py"}
    glue.update_job(JobName="defined", JobUpdate={"Role": "other", "Command": command, "Timeout": 7})
    job = glue.get_job(JobName="defined")["Job"]
    expect((job["Role"], job["Timeout"], job.get("Description")), ("other", 7, None))
    pages = glue.get_paginator("get_jobs").paginate(PaginationConfig={"PageSize": 1})
    expect("defined" in [each["Name"] for page in pages for each in page["Jobs"]], True)
    expect(glue.list_jobs(Tags={"made": "here"})["JobNames"], ["defined"])
    found = glue.batch_get_jobs(JobNames=["defined", "missing"])
    expect(([each["Name"] for each in found["Jobs"]], found["JobsNotFound"]), (["defined"], ["missing"]))
    expect(glue.delete_job(JobName="defined")["JobName"], "defined")
    glue.delete_job(JobName="defined")
    refused(lambda: glue.get_job(JobName="defined"), code_of, "EntityNotFoundException")


@case
def refusals():
    """boto3: what cannot be asked of jobs is refused by Glue's names; bookmarks by name"""
    create("asked", "")
    refused(lambda: create("asked", ""), code_of, "AlreadyExistsException")
    refused(lambda: start("missing"), code_of, "EntityNotFoundException")
    refused(lambda: run_of("asked", "jr_missing"), code_of, "EntityNotFoundException")
    refused(lambda: create("odd", "", kind="cobol"), code_of, "InvalidInputException")
    refused(lambda: create("many", "", WorkerType="G.1X", NumberOfWorkers=2, MaxCapacity=1.0), code_of, "InvalidInputException")
    refused(lambda: glue.reset_job_bookmark(JobName="asked"), code_of, "UnsupportedOperationException")
    bookmark = {"--job-bookmark-option": "job-bookmark-enable"}
    refused(lambda: create("marked", "", DefaultArguments=bookmark), code_of, "UnsupportedOperationException")
