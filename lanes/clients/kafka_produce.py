"""The produce and transaction cases of confluent-kafka (librdkafka)."""

from cases import case, expect, refused
from confluent_kafka import KafkaError, TopicPartition
from kafka_client import code_of, consumer, create_topic, produce, producer, read, unique


def round_trip(codec):
    topic = create_topic(1)
    values = [b'{"ticker":"AAPL","number":%d}' % number for number in range(2000)]
    delivered = produce(topic, values, enable_idempotence=True, compression_type=codec, linger_ms=20)
    expect([message.offset() for message in delivered], list(range(2000)), "offsets")
    expect([message.value() for message in read(topic, 2000)], values, "values")


for name in ("none", "gzip", "snappy", "lz4", "zstd"):

    def codec_case(codec=name):
        round_trip(codec)

    codec_case.__doc__ = f"produce: 2,000 messages idempotently with codec {name}, and read them back"
    case(codec_case)


@case
def message_parts():
    """produce: keys, headers, nulls, empty values and timestamps come back as they were"""
    topic = create_topic(1)
    sender = producer()
    headers = [("source", b"tape"), ("source", b"again"), ("null", None), ("empty", b"")]
    sender.produce(topic, key=b"k", value=b"v", headers=headers, timestamp=1_700_000_000_123)
    sender.produce(topic, key=None, value=None)
    sender.produce(topic, key=b"", value=b"")
    expect(sender.flush(20), 0, "messages left")
    first, second, third = read(topic, 3)
    expect((first.key(), first.value(), first.headers()), (b"k", b"v", headers))
    expect(first.timestamp(), (1, 1_700_000_000_123), "timestamp")
    expect((second.key(), second.value(), second.headers()), (None, None, None))
    expect((third.key(), third.value()), (b"", b""))


@case
def partitioner():
    """produce: messages spread over the partitions by key, in order within each"""
    topic = create_topic(4)
    sender = producer(partitioner="murmur2_random")
    for number in range(400):
        sender.produce(topic, key=b"key-%d" % (number % 20), value=b"%d" % number)
    expect(sender.flush(20), 0, "messages left")
    with consumer() as reader:
        ends = [reader.get_watermark_offsets(TopicPartition(topic, index), timeout=20)[1] for index in range(4)]
    expect(sum(ends), 400, "messages")
    for partition, end in enumerate(ends):
        last = {}
        for message in read(topic, end, partition):
            if int(message.value()) <= last.get(message.key(), -1):
                raise AssertionError("a key's messages are out of order")
            last[message.key()] = int(message.value())


for name in (0, 1, -1):

    def acks_case(acks=name):
        topic = create_topic(1)
        produce(topic, [b"1", b"2", b"3"], acks=acks)
        expect([message.value() for message in read(topic, 3)], [b"1", b"2", b"3"])

    acks_case.__doc__ = f"produce: acks={name}"
    case(acks_case)


@case
def log_append_time():
    """produce: a topic with LogAppendTime stamps its messages itself"""
    topic = create_topic(1, {"message.timestamp.type": "LogAppendTime"})
    produce(topic, [b"late"], timestamps=[1_600_000_000_000])
    [message] = read(topic, 1)
    kind, timestamp = message.timestamp()
    expect((kind, timestamp > 1_700_000_000_000), (2, True))


@case
def refused_messages():
    """produce: a message too large, one of the future, an unknown partition and topic are refused"""
    topic = create_topic(1, {"max.message.bytes": "2000"})
    large = lambda: produce(topic, [bytes(3000)])
    refused(large, code_of, KafkaError.MSG_SIZE_TOO_LARGE)
    future = lambda: produce(topic, [b"x"], timestamps=[4_000_000_000_000])
    refused(future, code_of, KafkaError.INVALID_TIMESTAMP)
    refused(lambda: produce(topic, [b"x"], partition=7), code_of, KafkaError._UNKNOWN_PARTITION)
    missing = lambda: produce("not/valid", [b"x"])
    refused(missing, code_of, KafkaError.TOPIC_EXCEPTION)


@case
def auto_created():
    """produce: a topic that is missing is made on the way"""
    topic = unique("auto")
    produce(topic, [b"first"], allow_auto_create_topics=True)
    expect([message.value() for message in read(topic, 1)], [b"first"])


def transactional(transactional_id=None, **settings):
    sender = producer(transactional_id=transactional_id or unique("transactional"), linger_ms=0, **settings)
    sender.init_transactions(20)
    return sender


@case
def transactions():
    """transactions: what was committed is read, what was aborted is not, and all of it read uncommitted"""
    topic = create_topic(1)
    sender = transactional()
    for number in range(6):
        sender.begin_transaction()
        sender.produce(topic, b"%d" % number, partition=0)
        # What was not sent yet would be dropped by the abort, unseen by the broker.
        expect(sender.flush(20), 0, "messages left")
        if number % 2 == 0:
            sender.commit_transaction(20)
        else:
            sender.abort_transaction(20)
    committed = read(topic, 3, isolation_level="read_committed")
    expect([message.value() for message in committed], [b"0", b"2", b"4"])
    everything = read(topic, 6, isolation_level="read_uncommitted")
    expect([message.value() for message in everything], [b"%d" % number for number in range(6)])
    expect([message.offset() for message in everything], [0, 2, 4, 6, 8, 10], "control records lie between")


@case
def interleaved_transactions():
    """transactions: of several producers on one partition, one of them open, only what is decided is read"""
    topic = create_topic(1)
    first, second, third = transactional(), transactional(), transactional()
    for number, sender in enumerate((first, second, third)):
        sender.begin_transaction()
        sender.produce(topic, b"%d" % number, partition=0)
        expect(sender.flush(20), 0, "messages left")
    produce(topic, [b"plain"])
    first.commit_transaction(20)
    second.abort_transaction(20)
    with consumer(isolation_level="read_committed") as reader:
        position = TopicPartition(topic, 0)
        expect(reader.get_watermark_offsets(position, timeout=20), (0, 2), "ends before the open transaction")
    [message] = read(topic, 1, isolation_level="read_committed")
    expect(message.value(), b"0")
    third.commit_transaction(20)
    decided = read(topic, 3, isolation_level="read_committed")
    expect([message.value() for message in decided], [b"0", b"2", b"plain"])


@case
def fenced():
    """transactions: a second producer of the same transactional id fences the first"""
    topic, name = create_topic(1), unique("fenced")
    first = transactional(name)
    first.begin_transaction()
    first.produce(topic, b"of the first", partition=0)
    expect(first.flush(20), 0, "messages left")
    second = transactional(name)
    error = refused(lambda: first.commit_transaction(20), code_of, KafkaError._FENCED)
    expect(error.args[0].fatal(), True, "fatal")
    second.begin_transaction()
    second.produce(topic, b"of the second", partition=0)
    second.commit_transaction(20)
    [message] = read(topic, 1, isolation_level="read_committed")
    expect(message.value(), b"of the second")


@case
def offsets_in_transaction():
    """transactions: offsets are committed with the transaction, and dropped with an aborted one"""
    source, target, group = create_topic(1), create_topic(1), unique("exactly-once")
    produce(source, [b"1", b"2", b"3", b"4"])
    sender = transactional()
    with consumer(group, isolation_level="read_committed") as reader:
        reader.subscribe([source])
        seen = []
        while len(seen) < 4:
            seen += reader.consume(4 - len(seen), timeout=1)
        for offset, commits in ((2, True), (4, False)):
            sender.begin_transaction()
            sender.produce(target, b"%d" % offset, partition=0)
            offsets = [TopicPartition(source, 0, offset)]
            sender.send_offsets_to_transaction(offsets, reader.consumer_group_metadata(), 20)
            expect(sender.flush(20), 0, "messages left")
            if commits:
                sender.commit_transaction(20)
            else:
                sender.abort_transaction(20)
        [committed] = reader.committed([TopicPartition(source, 0)], timeout=20)
        expect(committed.offset, 2, "committed offset")
    [message] = read(target, 1, isolation_level="read_committed")
    expect(message.value(), b"2")


@case
def transaction_timeout():
    """transactions: a time-out above the broker's limit is refused"""
    start = lambda: transactional(transaction_timeout_ms=16 * 60_000)
    refused(start, code_of, KafkaError.INVALID_TRANSACTION_TIMEOUT)
