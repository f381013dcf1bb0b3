"""boto3 and pyarrow against the S3 server of `{"aws": {"endpoint": ...}}`, the first argument."""

import s3_arrow  # noqa: F401
import s3_objects  # noqa: F401
import s3_requests  # noqa: F401
from cases import run_cases

run_cases()
