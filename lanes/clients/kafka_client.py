"""What the Kafka cases share: an admin, short-lived producers and consumers of the broker under test."""

import itertools
import json
import os
import sys

from cases import expect, expect_soon
from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

_settings = {"bootstrap.servers": ",".join(json.loads(sys.argv[1])["kafka"]["brokers"])}
# Lines of librdkafka about connections come in between the cases otherwise; errors raise.
_settings["log_level"] = 0
_numbers = itertools.count()
admin = AdminClient(_settings)


def unique(name):
    """A name that no other case and no other run has."""
    return f"{name}-{os.getpid()}-{next(_numbers)}"


def only(futures):
    """The result of the only future of an admin call."""
    [future] = futures.values()
    return future.result(20)


def code_of(error):
    """The number Kafka has for what went wrong."""
    return error.args[0].code() if isinstance(error, KafkaException) else repr(error)


def is_listed(topic):
    """True when the broker lists the topic."""
    return topic in admin.list_topics(timeout=20).topics


def create_topic(partitions, config=None):
    """Creates a topic of a new name, and waits until the broker knows it."""
    name = unique("topic")
    only(admin.create_topics([NewTopic(name, partitions, 1, config=config or {})]))
    expect_soon(lambda: is_listed(name), True, "the new topic is listed")
    return name


def producer(**settings):
    """A producer; dots of settings are written as underscores."""
    return Producer({**_settings, **{key.replace("_", "."): value for key, value in settings.items()}})


def consumer(group=None, **settings):
    """A consumer that begins at the start and commits nothing by itself; closes at the end of `with`."""
    defaults = {
        "group.id": group or unique("group"),
        "auto.offset.reset": "earliest",
        "enable.auto.commit": False,
        "heartbeat.interval.ms": 200,
        "session.timeout.ms": 6000,
        "fetch.wait.max.ms": 100,
        "topic.metadata.refresh.interval.ms": 1000,
    }
    return Consumer({**_settings, **defaults, **{key.replace("_", "."): value for key, value in settings.items()}})


def produce(topic, values, partition=0, timestamps=None, **settings):
    """Produces the values and returns the messages as they were delivered; raises the first error."""
    sender = producer(**settings)
    delivered = []
    for index, value in enumerate(values):
        extra = {"timestamp": timestamps[index]} if timestamps else {}
        report = lambda error, message: delivered.append((error, message))
        sender.produce(topic, value=value, partition=partition, on_delivery=report, **extra)
    expect(sender.flush(30), 0, "messages left in the producer")
    for error, _ in delivered:
        if error is not None:
            raise KafkaException(error)
    return [message for _, message in delivered]


def read(topic, count, partition=0, offset=0, **settings):
    """Reads so many messages of a partition, no fewer."""
    with consumer(**settings) as reader:
        reader.assign([TopicPartition(topic, partition, offset)])
        messages = []
        while len(messages) < count:
            batch = reader.consume(count - len(messages), timeout=20)
            if not batch:
                raise AssertionError(f"{len(messages)} of {count} messages after 20 s")
            for message in batch:
                if message.error():
                    raise KafkaException(message.error())
            messages += batch
        return messages
