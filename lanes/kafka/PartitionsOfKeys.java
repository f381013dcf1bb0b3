import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import org.apache.kafka.clients.producer.internals.BuiltInPartitioner;
import org.apache.kafka.common.utils.Utils;

/** For each key in hexadecimal on a line of input prints key, murmur2 hash, and its partition of 3, 12 and 1000, by Kafka's own client. */
public class PartitionsOfKeys {
    public static void main(String[] arguments) throws Exception {
        BufferedReader keys = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = keys.readLine(); line != null; line = keys.readLine()) {
            byte[] key = HexFormat.of().parseHex(line);
            System.out.println(line + " " + Utils.murmur2(key) + " " + BuiltInPartitioner.partitionForKey(key, 3)
                + " " + BuiltInPartitioner.partitionForKey(key, 12) + " " + BuiltInPartitioner.partitionForKey(key, 1000));
        }
    }
}
