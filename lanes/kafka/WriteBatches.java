import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * Writes topics of one partition by Kafka's own client: `codec-none`, `codec-gzip`, ... with 3,000 records each, and
 * `transactions`, where two producers' transactions lie between each other's and both are aborted:
 * java WriteBatches.java brokers
 */
public class WriteBatches {
    private static KafkaProducer<byte[], byte[]> producer(String brokers, String codec, String transactionalId) {
        Map<String, Object> options = new HashMap<>();
        options.put("bootstrap.servers", brokers);
        options.put("compression.type", codec);
        options.put("linger.ms", "50");
        if (transactionalId != null) options.put("transactional.id", transactionalId);
        ByteArraySerializer bytes = new ByteArraySerializer();
        return new KafkaProducer<>(options, bytes, bytes);
    }

    private static byte[] bytes(String text) {
        return text == null ? null : text.getBytes(StandardCharsets.UTF_8);
    }

    private static ProducerRecord<byte[], byte[]> record(String topic, long timestamp, String key, String value) {
        return new ProducerRecord<>(topic, 0, timestamp, bytes(key), bytes(value));
    }

    public static void main(String[] arguments) throws Exception {
        String brokers = arguments[0];
        List<String> codecs = List.of("none", "gzip", "snappy", "lz4", "zstd");
        long now = System.currentTimeMillis();
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", brokers))) {
            for (String codec : codecs) {
                admin.createTopics(List.of(new NewTopic("codec-" + codec, 1, (short) 1))).all().get();
            }
            admin.createTopics(List.of(new NewTopic("transactions", 1, (short) 1))).all().get();
        }
        for (String codec : codecs) {
            try (KafkaProducer<byte[], byte[]> producer = producer(brokers, codec, null)) {
                for (int index = 0; index < 3000; index++) {
                    String key = index % 3 == 0 ? null : "S" + index % 7;
                    String value = index % 50 == 0 ? null : "{\"id\":" + index + ",\"text\":\"" + "ab".repeat(index % 40) + "\"}";
                    ProducerRecord<byte[], byte[]> record = record("codec-" + codec, now + index, key, value);
                    if (index % 10 == 0) record.headers().add(new RecordHeader("source", bytes("java " + index)));
                    producer.send(record);
                }
            }
        }
        try (KafkaProducer<byte[], byte[]> one = producer(brokers, "lz4", "one");
             KafkaProducer<byte[], byte[]> two = producer(brokers, "none", "two");
             KafkaProducer<byte[], byte[]> plain = producer(brokers, "none", null)) {
            one.initTransactions();
            two.initTransactions();
            for (int round = 0; round < 3; round++) {
                one.beginTransaction();
                two.beginTransaction();
                for (int index = 0; index < 20; index++) {
                    one.send(record("transactions", now, null, "aborted")).get();
                    two.send(record("transactions", now, null, "aborted")).get();
                    if (index % 5 == 0) plain.send(record("transactions", now, null, "plain " + round + " " + index)).get();
                }
                one.abortTransaction();
                one.beginTransaction();
                one.send(record("transactions", now, null, "committed " + round));
                one.commitTransaction();
                two.abortTransaction();
            }
        }
    }
}
