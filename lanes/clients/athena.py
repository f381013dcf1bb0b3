"""
PyAthena, awswrangler and boto3 against the Athena and Glue of `{"aws": {"endpoint": ...}, "hasSpark": true}`, the first
argument.
"""

import athena_pyathena  # noqa: F401
import athena_wrangler  # noqa: F401
import glue_crawlers  # noqa: F401
import glue_jobs  # noqa: F401
import glue_spark  # noqa: F401
from cases import run_cases

run_cases()
