"""The consume and group cases of confluent-kafka (librdkafka)."""

from cases import case, expect, refused, until
from confluent_kafka import OFFSET_END, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import NewTopic
from kafka_client import admin, code_of, consumer, create_topic, produce, read, unique


def partitions_of(member):
    return sorted(partition.partition for partition in member.assignment())


def poll_all(members, seen=None):
    """One short poll of each member, as an application would; messages go to `seen`."""
    for member in members:
        message = member.poll(0.05)
        if message is None:
            continue
        if message.error():
            raise KafkaException(message.error())
        if seen is not None:
            seen.append(message.value())


def settled(members, sizes, seen=None):
    """True when the members have so many partitions each, in any order, and none of them twice."""
    poll_all(members, seen)
    owned = [partitions_of(member) for member in members]
    return sorted(map(len, owned)) == sorted(sizes) and len({p for each in owned for p in each}) == sum(sizes)


def rebalance(strategy):
    topic, group = create_topic(4), unique("rebalance")
    settings = {"partition_assignment_strategy": strategy}
    for partition in range(4):
        produce(topic, [b"%d-%d" % (partition, number) for number in range(25)], partition)
    seen = []
    with consumer(group, **settings) as first:
        first.subscribe([topic])
        until(lambda: settled([first], [4], seen), "one member has all partitions")
        with consumer(group, **settings) as second:
            second.subscribe([topic])
            until(lambda: settled([first, second], [2, 2], seen), "two members share the partitions")
            expect({tp.partition for tp in first.assignment()} & {tp.partition for tp in second.assignment()}, set())
        until(lambda: settled([first], [4], seen), "the one that stays has all partitions again")
        wanted = {b"%d-%d" % (partition, number) for partition in range(4) for number in range(25)}
        until(lambda: poll_all([first], seen) or wanted <= set(seen), "every message was seen")


for name in ("range", "roundrobin", "cooperative-sticky"):

    def rebalance_case(strategy=name):
        rebalance(strategy)

    rebalance_case.__doc__ = f"groups: two members with the {name} assignor share, leave and take over"
    case(rebalance_case)


@case
def resume():
    """groups: a new member goes on at the committed offset, and sees its metadata"""
    topic, group = create_topic(1), unique("resume")
    produce(topic, [b"%d" % number for number in range(10)])
    with consumer(group) as member:
        member.subscribe([topic])
        seen = []
        until(lambda: poll_all([member], seen) or len(seen) == 4, "four messages")
        [committed] = member.commit(asynchronous=False)
        expect((committed.error, committed.offset), (None, 4))
    with consumer(group) as member:
        member.subscribe([topic])
        until(lambda: poll_all([member], seen) or len(seen) == 10, "the others")
        expect(seen, [b"%d" % number for number in range(10)])


@case
def static_member():
    """groups: a static member comes back under its name, without a rebalance of the others"""
    topic, group = create_topic(2), unique("static")
    settings = {"session_timeout_ms": 30000}
    rebalances = []
    with consumer(group, group_instance_id="one", **settings) as stays:
        revoked = lambda _, partitions: rebalances.append(partitions)
        stays.subscribe([topic], on_revoke=revoked)
        goes = consumer(group, group_instance_id="two", **settings)
        goes.subscribe([topic])
        until(lambda: settled([stays, goes], [1, 1]), "both have a partition")
        before, owned = len(rebalances), partitions_of(goes)
        # A static member does not leave the group when it closes.
        goes.close()
        with consumer(group, group_instance_id="two", **settings) as back:
            back.subscribe([topic])
            until(lambda: settled([stays, back], [1, 1]), "it is back")
            expect(partitions_of(back), owned, "partitions of the one that came back")
            expect(len(rebalances), before, "rebalances of the one that stayed")


@case
def fenced_static_member():
    """groups: two members of one instance name: the older is fenced"""
    topic, group = create_topic(1), unique("static")
    with consumer(group, group_instance_id="one") as older:
        older.subscribe([topic])
        until(lambda: settled([older], [1]), "the older has the partition")
        with consumer(group, group_instance_id="one") as newer:
            newer.subscribe([topic])
            until(lambda: settled([newer], [1]), "the newer has the partition")

            def is_fenced():
                message = older.poll(0.1)
                newer.poll(0)
                return bool(message and message.error() and message.error().code() == KafkaError._FATAL)

            def fails():
                try:
                    return is_fenced()
                except KafkaException as error:
                    return error.args[0].fatal()

            until(fails, "the older is fenced")


@case
def offsets_for_times():
    """consume: offsets are found by time, record by record within a batch"""
    topic = create_topic(1)
    times = [1_700_000_000_000 + 1000 * index for index in range(20)]
    produce(topic, [b"x"] * 20, timestamps=times, linger_ms=50)
    with consumer() as reader:
        for asked, wanted in ((times[0] - 5, 0), (times[7], 7), (times[7] + 1, 8), (times[19] + 1, OFFSET_END)):
            [found] = reader.offsets_for_times([TopicPartition(topic, 0, asked)], timeout=20)
            expect((found.error, found.offset), (None, wanted), f"offset at {asked}")


@case
def watermarks():
    """consume: watermarks of an empty, a filled and an unknown partition"""
    topic = create_topic(2)
    produce(topic, [b"1", b"2"])
    with consumer() as reader:
        expect(reader.get_watermark_offsets(TopicPartition(topic, 0), timeout=20), (0, 2))
        expect(reader.get_watermark_offsets(TopicPartition(topic, 1), timeout=20), (0, 0))
        unknown = lambda: reader.get_watermark_offsets(TopicPartition(topic, 9), timeout=20)
        refused(unknown, code_of, KafkaError._UNKNOWN_PARTITION)


@case
def seek_and_pause():
    """consume: seek back, pause, resume, and be told of the end"""
    topic = create_topic(1)
    produce(topic, [b"0", b"1", b"2"])
    with consumer(enable_partition_eof=True) as reader:
        reader.assign([TopicPartition(topic, 0, 0)])
        expect([message.value() for message in reader.consume(3, timeout=20)], [b"0", b"1", b"2"])
        expect(reader.poll(20).error().code(), KafkaError._PARTITION_EOF, "at the end")
        reader.seek(TopicPartition(topic, 0, 1))
        expect(reader.poll(20).value(), b"1", "after seek")
        reader.pause([TopicPartition(topic, 0)])
        expect(reader.poll(0.2), None, "while paused")
        reader.resume([TopicPartition(topic, 0)])
        expect(reader.poll(20).value(), b"2", "after resume")


@case
def out_of_range():
    """consume: an offset out of range is an error, or the start, as asked"""
    topic = create_topic(1)
    produce(topic, [b"only"])
    strict = lambda: read(topic, 1, offset=50, auto_offset_reset="error")
    refused(strict, code_of, KafkaError._AUTO_OFFSET_RESET)
    expect([message.value() for message in read(topic, 1, offset=50)], [b"only"])


@case
def large_messages():
    """consume: messages larger than a fetch come through, one at a time"""
    topic = create_topic(1)
    values = [bytes([index]) * 500_000 for index in range(6)]
    produce(topic, values)
    small = {"fetch_message_max_bytes": 10_000, "fetch_max_bytes": 1_000_000}
    expect([message.value() for message in read(topic, 6, **small)], values)


@case
def missing_topic():
    """consume: a topic that is missing is an error"""
    with consumer(allow_auto_create_topics=False) as reader:
        reader.subscribe([unique("missing")])
        message = None
        while message is None:
            message = reader.poll(20)
        expect(message.error().code(), KafkaError.UNKNOWN_TOPIC_OR_PART)


@case
def pattern():
    """consume: a subscription by pattern finds its topics"""
    prefix = unique("pattern")
    names = [f"{prefix}.a", f"{prefix}.b"]
    for future in admin.create_topics([NewTopic(name, 1, 1) for name in names]).values():
        future.result(20)
    with consumer() as reader:
        reader.subscribe([f"^{prefix}\\."])
        topics = lambda: sorted(partition.topic for partition in reader.assignment())
        until(lambda: poll_all([reader]) or topics() == names, "both topics are assigned")
