"""confluent-kafka (librdkafka), orjson and pyarrow: 100,000 rows are read, written as Parquet files, and committed."""

import json
import pathlib
import resource
import sys
import time
import uuid

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from confluent_kafka import Consumer, KafkaException, TopicPartition
from orjson import loads
from pyarrow import fs

settings = json.loads(sys.argv[1])
topic = settings["topicName"]
rows_per_flush = settings.get("rowsPerFlush", 100_000)
session_timeout = settings.get("sessionTimeoutMillis", 45_000)
all_columns = json.loads((pathlib.Path(__file__).parent.parent / "columns.json").read_text())
types = {
    "string": pa.string(),
    "double": pa.float64(),
    "int64": pa.int64(),
    "timestamp": pa.timestamp("ms"),
    "boolean": pa.bool_(),
}
columns = [(name, types[kind]) for name, kind in all_columns[settings["data"]]]

s3 = settings["s3"]
scheme, _, host = s3["endpoint"].partition("://")
files = fs.S3FileSystem(
    access_key=s3["accessKeyId"],
    secret_key=s3["secretAccessKey"],
    region=s3["region"],
    endpoint_override=host,
    scheme=scheme,
)
path_columns = ["event_hour", "symbol"]
compression = settings.get("compression", "snappy")

consumer = Consumer(
    {
        "bootstrap.servers": ",".join(settings["brokers"]),
        "group.id": settings["groupId"],
        "auto.offset.reset": "earliest",
        "enable.auto.commit": False,
        "session.timeout.ms": session_timeout,
    }
)


def cpu_seconds():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def committed_positions(partitions):
    """The committed offsets; a broker that has just started has to be asked again."""
    for _ in range(50):
        try:
            return consumer.committed([TopicPartition(topic, number) for number in partitions], timeout=20)
        except KafkaException as error:
            if not error.args[0].retriable() and error.args[0].name() != "NOT_COORDINATOR":
                raise
            time.sleep(0.2)
    raise SystemExit("the group's coordinator is not there")


def rows_to_come():
    """Rows between the committed offsets and where the topic ends now."""
    partitions = consumer.list_topics(topic, timeout=20).topics[topic].partitions
    total = 0
    for position in committed_positions(partitions):
        low, high = consumer.get_watermark_offsets(TopicPartition(topic, position.partition), timeout=20)
        total += high - max(low, position.offset)
    return total


def flush(rows):
    """Writes the rows, a file a path, and commits their offsets."""
    arrays = {name: pa.array([row[name] for row in rows], kind) for name, kind in columns}
    arrays["event_hour"] = pc.strftime(arrays["ts"], format="%Y-%m-%d-%H")
    by_path = pa.table(arrays).sort_by([(name, "ascending") for name in path_columns])
    # One file after the other: a data set writer keeps a buffer of 10 MB for each file open, which costs more CPU.
    paths = by_path.select(path_columns).group_by(path_columns, use_threads=False)
    start = 0
    for path in paths.aggregate([([], "count_all")]).to_pylist():
        part = by_path.slice(start, path["count_all"]).drop(["event_hour"])
        start += path["count_all"]
        folder = f"{settings['bucket']}/trades/event_hour={path['event_hour']}/ticker={path['symbol']}"
        pq.write_table(part, f"{folder}/{uuid.uuid4()}.parquet", filesystem=files, compression=compression)
    consumer.commit(asynchronous=False)


def tell(message):
    print(json.dumps(message), flush=True)


to_come = rows_to_come()
consumer.subscribe([topic])
begun = None
read = 0
told = 0
rows = []
while read < to_come:
    messages = consumer.consume(10_000, timeout=0.2)
    if messages and begun is None:
        begun = (time.time(), cpu_seconds())
    for message in messages:
        if message.error():
            raise SystemExit(str(message.error()))
        rows.append(loads(message.value()))
    read += len(messages)
    if read - told >= 10_000:
        told = read
        tell({"rows": read})
    if len(rows) >= rows_per_flush:
        flush(rows)
        rows = []
if rows:
    flush(rows)
now = (time.time(), cpu_seconds())
begun = begun or now
consumer.close()
peak = next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM:"))
tell(
    {
        "end": {
            "rows": read,
            "seconds": now[0] - begun[0],
            "cpuSeconds": now[1],
            "steadyCpuSeconds": now[1] - begun[1],
            "peakMegabytes": peak / 1000,
        }
    }
)
