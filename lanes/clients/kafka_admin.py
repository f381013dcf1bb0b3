"""The admin cases of confluent-kafka (librdkafka)."""

from cases import case, expect, expect_soon, refused
from confluent_kafka import ConsumerGroupState, ConsumerGroupTopicPartitions, KafkaError
from confluent_kafka import TopicCollection, TopicPartition
from confluent_kafka.admin import (
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewPartitions,
    NewTopic,
    OffsetSpec,
    ResourceType,
)
from kafka_client import admin, code_of, consumer, create_topic, is_listed, only, produce, unique


@case
def cluster():
    """admin: the cluster has an id, a controller and one broker"""
    described = admin.describe_cluster().result(20)
    expect(len(described.nodes), 1, "nodes")
    expect(described.controller.id, described.nodes[0].id, "controller")
    expect(admin.list_topics(timeout=20).cluster_id, described.cluster_id, "cluster id")


@case
def topics():
    """admin: create topics, describe them, list them, delete them"""
    name = unique("topic.with_odd-name")
    only(admin.create_topics([NewTopic(name, 3, 1)]))
    expect_soon(lambda: is_listed(name), True, "listed")
    described = only(admin.describe_topics(TopicCollection([name])))
    expect([partition.id for partition in described.partitions], [0, 1, 2], "partitions")
    only(admin.delete_topics([name]))
    expect_soon(lambda: is_listed(name), False, "listed after it was deleted")
    refused(lambda: only(admin.delete_topics([name])), code_of, KafkaError.UNKNOWN_TOPIC_OR_PART)
    describe = lambda: only(admin.describe_topics(TopicCollection([name])))
    refused(describe, code_of, KafkaError.UNKNOWN_TOPIC_OR_PART)


@case
def refused_topics():
    """admin: a topic that exists, a bad name, a bad replication factor, no partitions, a bad configuration are refused"""
    create = lambda *topic, **rest: (lambda: only(admin.create_topics([NewTopic(*topic, **rest)])))
    name = create_topic(1)
    refused(create(name, 1, 1), code_of, KafkaError.TOPIC_ALREADY_EXISTS)
    refused(create("not/valid", 1, 1), code_of, KafkaError.TOPIC_EXCEPTION)
    refused(create(unique("t"), 1, 3), code_of, KafkaError.INVALID_REPLICATION_FACTOR)
    refused(create(unique("t"), 0, 1), code_of, KafkaError.INVALID_PARTITIONS)
    refused(create(unique("t"), 1, 1, config={"no.such": "1"}), code_of, KafkaError.INVALID_CONFIG)
    refused(create(unique("t"), 1, 1, config={"retention.ms": "x"}), code_of, KafkaError.INVALID_CONFIG)


@case
def validate_only():
    """admin: a topic that is only validated is not created"""
    name = unique("validated")
    only(admin.create_topics([NewTopic(name, 1, 1)], validate_only=True))
    expect(is_listed(name), False, "listed")


def configs_of(name):
    return only(admin.describe_configs([ConfigResource(ResourceType.TOPIC, name)]))


@case
def describe_configs():
    """admin: describe the configurations of a topic, with their source and synonyms"""
    name = create_topic(1, {"retention.ms": "3600000"})
    entries = configs_of(name)
    expect((entries["retention.ms"].value, entries["retention.ms"].is_default), ("3600000", False))
    expect(entries["retention.ms"].synonyms["retention.ms"].value, "3600000", "synonym")
    expect((entries["cleanup.policy"].value, entries["cleanup.policy"].is_default), ("delete", True))
    expect(entries["max.message.bytes"].value, "1048588")
    missing = lambda: configs_of(unique("missing"))
    refused(missing, code_of, KafkaError.UNKNOWN_TOPIC_OR_PART)


@case
def describe_broker_configs():
    """admin: describe the configurations of the broker"""
    broker = next(iter(admin.list_topics(timeout=20).brokers))
    entries = only(admin.describe_configs([ConfigResource(ResourceType.BROKER, str(broker))]))
    expect(entries["num.partitions"].value, "1")


@case
def alter_configs():
    """admin: alter configurations, which replaces all of them"""
    name = create_topic(1, {"retention.ms": "3600000", "segment.bytes": "10485760"})
    only(admin.alter_configs([ConfigResource(ResourceType.TOPIC, name, {"retention.ms": "7200000"})]))
    expect_soon(lambda: configs_of(name)["retention.ms"].value, "7200000")
    expect(configs_of(name)["segment.bytes"].is_default, True, "segment.bytes is the default")


def increment(name, config, value, operation, **options):
    entry = ConfigEntry(config, value, incremental_operation=operation)
    resource = ConfigResource(ResourceType.TOPIC, name, incremental_configs=[entry])
    return only(admin.incremental_alter_configs([resource], **options))


@case
def incremental_alter_configs():
    """admin: alter configurations one at a time: set, delete, validate only, and refusals"""
    name = create_topic(1, {"retention.ms": "3600000"})
    increment(name, "segment.bytes", "10485760", AlterConfigOpType.SET)
    expect_soon(lambda: configs_of(name)["segment.bytes"].value, "10485760")
    expect(configs_of(name)["retention.ms"].value, "3600000", "the other stays")
    increment(name, "retention.ms", None, AlterConfigOpType.DELETE)
    expect_soon(lambda: configs_of(name)["retention.ms"].value, "604800000")
    increment(name, "retention.ms", "1000", AlterConfigOpType.SET, validate_only=True)
    expect(configs_of(name)["retention.ms"].value, "604800000", "after validation only")
    bad = lambda config, value: lambda: increment(name, config, value, AlterConfigOpType.SET)
    refused(bad("no.such", "1"), code_of, KafkaError.INVALID_CONFIG)
    refused(bad("retention.ms", "soon"), code_of, KafkaError.INVALID_CONFIG)
    append = lambda: increment(name, "retention.ms", "1", AlterConfigOpType.APPEND)
    refused(append, code_of, KafkaError.INVALID_CONFIG)


@case
def create_partitions():
    """admin: a topic gets more partitions, never fewer or as many"""
    name = create_topic(1)
    only(admin.create_partitions([NewPartitions(name, 3)]))
    expect_soon(lambda: len(only(admin.describe_topics(TopicCollection([name]))).partitions), 3)
    for count in (3, 2):
        more = lambda: only(admin.create_partitions([NewPartitions(name, count)]))
        refused(more, code_of, KafkaError.INVALID_PARTITIONS)
    produce(name, [b"on a new partition"], partition=2)


@case
def delete_records():
    """admin: deleted records move the low watermark, and none lie beyond the end"""
    name = create_topic(1)
    produce(name, [b"%d" % number for number in range(10)])
    deleted = only(admin.delete_records([TopicPartition(name, 0, 4)]))
    expect(deleted.low_watermark, 4)
    with consumer() as reader:
        expect(reader.get_watermark_offsets(TopicPartition(name, 0), timeout=20), (4, 10))
    beyond = lambda: only(admin.delete_records([TopicPartition(name, 0, 99)]))
    refused(beyond, code_of, KafkaError.OFFSET_OUT_OF_RANGE)


@case
def list_offsets():
    """admin: list the earliest, the latest and the offset at a time"""
    name = create_topic(1)
    produce(name, [b"a", b"b", b"c"], timestamps=[1_700_000_000_000, 1_700_000_001_000, 1_700_000_002_000])
    at = lambda spec: only(admin.list_offsets({TopicPartition(name, 0): spec})).offset
    expect(at(OffsetSpec.earliest()), 0, "earliest")
    expect(at(OffsetSpec.latest()), 3, "latest")
    expect(at(OffsetSpec.for_timestamp(1_700_000_000_500)), 1, "at a time")
    expect(at(OffsetSpec.for_timestamp(1_800_000_000_000)), -1, "after the last")


@case
def groups():
    """admin: list, describe, alter the offsets of, and delete groups"""
    name, group = create_topic(1), unique("admin-group")
    produce(name, [b"1", b"2"])
    with consumer(group) as member:
        member.subscribe([name])
        while member.poll(1) is None:
            pass
        member.commit(offsets=[TopicPartition(name, 0, 1, "half")], asynchronous=False)
        described = only(admin.describe_consumer_groups([group]))
        expect(described.state, ConsumerGroupState.STABLE)
        expect(described.partition_assignor, "range")
        expect([partition.topic for partition in described.members[0].assignment.topic_partitions], [name])
        refused(lambda: only(admin.delete_consumer_groups([group])), code_of, KafkaError.NON_EMPTY_GROUP)
    listed = {entry.group_id for entry in admin.list_consumer_groups().result(20).valid}
    expect(group in listed, True, "listed")
    expect(only(admin.describe_consumer_groups([group])).state, ConsumerGroupState.EMPTY)
    offsets = lambda: only(admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)])).topic_partitions
    expect([(entry.offset, entry.metadata) for entry in offsets()], [(1, "half")])
    wanted = ConsumerGroupTopicPartitions(group, [TopicPartition(name, 0, 2)])
    only(admin.alter_consumer_group_offsets([wanted]))
    expect([entry.offset for entry in offsets()], [2])
    only(admin.delete_consumer_groups([group]))
    refused(lambda: only(admin.delete_consumer_groups([group])), code_of, KafkaError.GROUP_ID_NOT_FOUND)
    expect(only(admin.describe_consumer_groups([group])).state, ConsumerGroupState.DEAD)
