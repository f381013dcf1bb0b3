"""confluent-kafka (librdkafka) against the broker of `{"kafka": {"brokers": [...]}}`, the first argument."""

import kafka_admin  # noqa: F401
import kafka_consume  # noqa: F401
import kafka_produce  # noqa: F401
from cases import run_cases

run_cases()
