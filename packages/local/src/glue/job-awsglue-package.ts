/**
 * What a script finds as the package `awsglue` where it is not installed, by file: the options of a script, and of a Spark
 * job its contexts. What Glue's own has beyond that is missing here, and says so.
 */
export const awsGluePackage: Readonly<Record<string, string>> = {
  'awsglue/__init__.py': '',
  'awsglue/utils.py': `"""Options of a script, as its Glue job passes them."""
import argparse


class GlueArgumentError(Exception):
    pass


class _Parser(argparse.ArgumentParser):
    def error(self, message):
        raise GlueArgumentError(message)


_reserved = ("JOB_ID", "JOB_RUN_ID", "SECURITY_CONFIGURATION")
_optional = ("JOB_NAME", "TempDir", "job-bookmark-option", "job-bookmark-from", "job-bookmark-to")


def getResolvedOptions(args, options):
    """The values of options, without their dashes, by name. An option that is missing raises GlueArgumentError."""
    for option in options:
        if option in _reserved or option.startswith("job-bookmark"):
            raise RuntimeError("Using reserved arguments " + option)
    parser = _Parser(add_help=False, allow_abbrev=False)
    for name in _reserved + _optional:
        if name not in options:
            parser.add_argument("--" + name, required=False)
    for option in options:
        parser.add_argument("--" + option, dest=option, required=True)
    resolved = vars(parser.parse_known_args(args[1:])[0])
    return {name: value for name, value in resolved.items() if value is not None or name in options}
`,
  'awsglue/context.py': `"""A GlueContext over a plain Spark session. There are no DynamicFrames."""


class GlueContext:
    def __init__(self, sparkContext, **options):
        from pyspark.sql import SparkSession

        self._sc = sparkContext
        self.spark_session = SparkSession.builder.getOrCreate()

    def get_logger(self):
        import logging

        return logging.getLogger("awsglue")

    def __getattr__(self, name):
        raise NotImplementedError(
            "GlueContext.%s is not in the local stack: use spark_session, or install the package awsglue" % name
        )
`,
  'awsglue/job.py': `"""A Job that keeps no bookmark."""


class Job:
    def __init__(self, glue_context):
        self.glue_context = glue_context

    def init(self, job_name, args=None):
        self.job_name = job_name

    def commit(self):
        pass
`,
  'awsglue/dynamicframe.py': `raise ImportError(
    "awsglue.dynamicframe is not in the local stack: use Spark's data frames, or install the package awsglue"
)
`,
  'awsglue/transforms.py': `raise ImportError(
    "awsglue.transforms is not in the local stack: use Spark's data frames, or install the package awsglue"
)
`,
}
