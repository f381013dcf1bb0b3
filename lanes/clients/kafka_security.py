"""confluent-kafka (librdkafka) and brokers that ask who it is: `{"kafka": {"security": {...}}}`, the first argument."""

import itertools
import json
import os
import sys

from cases import case, expect, run_cases, until
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer
from confluent_kafka.admin import AdminClient, NewTopic

_security = json.loads(sys.argv[1])["kafka"]["security"]
_numbers = itertools.count()
_mechanisms = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")


def sasl(mechanism, **changes):
    """Settings of a client with the right credentials, unless some are changed."""
    user = {**_security["user"], **changes}
    return {"sasl.mechanism": mechanism, "sasl.username": user["name"], "sasl.password": user["password"]}


def listener(name, protocol):
    """Settings of a client of one of the listeners; it trusts who signed the broker's certificate."""
    trust = {"ssl.ca.pem": _security["ca"]} if protocol.endswith("SSL") else {}
    servers = ",".join(_security[name])
    return {"bootstrap.servers": servers, "security.protocol": protocol, "log_level": 0, **trust}


_sasl_tls = listener("saslTlsBrokers", "SASL_SSL")
_sasl_plaintext = listener("saslPlaintextBrokers", "SASL_PLAINTEXT")
_mutual_tls = listener("mutualTlsBrokers", "SSL")
_certificate = {"ssl.key.pem": _security["client"]["key"], "ssl.certificate.pem": _security["client"]["cert"]}

_ways = {
    **{f"{mechanism} over TLS": {**_sasl_tls, **sasl(mechanism)} for mechanism in _mechanisms},
    **{f"{mechanism} over plaintext": {**_sasl_plaintext, **sasl(mechanism)} for mechanism in _mechanisms},
    "a certificate of the client": {**_mutual_tls, **_certificate},
}


def round_trip(settings):
    topic = f"secure-{os.getpid()}-{next(_numbers)}"
    admin = AdminClient(settings)
    [created] = admin.create_topics([NewTopic(topic, 1, 1)]).values()
    created.result(20)
    sender = Producer({**settings, "enable.idempotence": True})
    values = [b"value %d" % number for number in range(500)]
    failed = []
    for value in values:
        sender.produce(topic, value, on_delivery=lambda error, _: failed.append(error) if error else None)
    expect(sender.flush(30), 0, "messages left in the producer")
    expect(failed, [], "messages that were refused")
    group = {"group.id": topic, "auto.offset.reset": "earliest", "enable.auto.commit": False}
    reader = Consumer({**settings, **group})
    try:
        reader.subscribe([topic])
        received = []

        def reads():
            for message in reader.consume(500, timeout=1):
                # The coordinator of a fresh broker comes late; librdkafka asks again.
                if message.error() and not message.error().retriable():
                    raise KafkaException(message.error())
                if not message.error():
                    received.append(message.value())
            return len(received) >= len(values)

        until(reads, "all messages are read")
        expect(received, values, "values")
    finally:
        reader.close()


def fails_with(settings, wanted):
    """Fails the case unless the client is told one of the errors, and lists no topic."""
    codes = []
    admin = AdminClient({**settings, "error_cb": lambda error: codes.append(error.code())})
    def is_told():
        admin.poll(0.2)
        return bool(set(codes) & set(wanted))

    try:
        until(is_told, "an error", seconds=20)
    except AssertionError as error:
        raise AssertionError(f"none of {wanted} within 20 s, but {codes}") from error
    try:
        admin.list_topics(timeout=1)
    except KafkaException:
        return
    raise AssertionError("the client lists topics")


def add(name, run):
    """Adds a case that is made by a loop."""

    def function():
        run()

    function.__doc__ = f"security: {name}"
    case(function)


for _name, _settings in _ways.items():
    add(f"{_name}: create a topic, produce, and consume as a group", lambda settings=_settings: round_trip(settings))

for _mechanism in _mechanisms:
    for _base, _over in ((_sasl_tls, "TLS"), (_sasl_plaintext, "plaintext")):
        add(
            f"a wrong password by {_mechanism} over {_over} is an authentication error",
            lambda base=_base, mechanism=_mechanism: fails_with(
                {**base, **sasl(mechanism, password="wrong")}, [KafkaError._AUTHENTICATION]
            ),
        )


@case
def unknown_mechanism():
    """security: a mechanism the broker does not offer is an authentication error"""
    settings = {**_sasl_plaintext, "sasl.mechanism": "OAUTHBEARER", "sasl.oauthbearer.config": "principal=dev"}
    fails_with({**settings, "enable.sasl.oauthbearer.unsecure.jwt": True}, [KafkaError._AUTHENTICATION])


@case
def unknown_authority():
    """security: an authority the client does not know is an SSL error"""
    settings = {**_sasl_tls, **sasl("PLAIN")}
    del settings["ssl.ca.pem"]
    fails_with(settings, [KafkaError._SSL])


@case
def no_certificate():
    """security: no certificate where the broker asks for one is an SSL error or a closed connection"""
    fails_with(_mutual_tls, [KafkaError._SSL, KafkaError._TRANSPORT])


@case
def no_sasl():
    """security: no SASL where the broker asks for it brings all brokers down, and no more is said"""
    fails_with({**_sasl_plaintext, "security.protocol": "PLAINTEXT"}, [KafkaError._ALL_BROKERS_DOWN])


@case
def no_tls():
    """security: plaintext where the broker speaks TLS brings all brokers down, and no more is said"""
    settings = {key: value for key, value in _sasl_tls.items() if key != "ssl.ca.pem"}
    fails_with({**settings, "security.protocol": "SASL_PLAINTEXT", **sasl("PLAIN")}, [KafkaError._ALL_BROKERS_DOWN])


run_cases()
