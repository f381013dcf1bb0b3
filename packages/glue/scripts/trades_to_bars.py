"""Minute or daily bars of trades, as Parquet below a folder of their own, one `bar_date=2024-01-02/` a day.

A Glue job of the type glueetl runs it with `--manifest s3://bucket/key`: a JSON object that names the folders of the trades,
their columns, the days and the folder to write. Whoever started the job switches the partitions afterwards.
"""

import json
import sys

from pyspark.sql import SparkSession, Window
from pyspark.sql import functions as F


def argument(name):
    """The value after `--name`; other arguments are Glue's own."""
    return sys.argv[sys.argv.index("--" + name) + 1]


def existing(spark, folders):
    """The folders that are there: a partition may have none."""
    configuration = spark._jsc.hadoopConfiguration()
    found = []
    for folder in folders:
        path = spark._jvm.org.apache.hadoop.fs.Path(folder)
        if path.getFileSystem(configuration).exists(path):
            found.append(folder)
    return found


def bar_begin(minutes):
    """The day of a trade, or when its minutes begin, which are counted from midnight in time that passes."""
    if not minutes:
        return F.to_date(F.col("local"))
    if minutes == 1:
        return F.date_trunc("minute", F.col("made_at"))
    since_midnight = "(unix_millis(made_at) - unix_millis(midnight))"
    return F.expr(f"timestamp_millis(unix_millis(made_at) - pmod({since_midnight}, {minutes * 60_000}))")


def bars(trades, manifest):
    """The bars of the days, with `bar_date` last."""
    columns = manifest["columns"]
    begin = "start" if manifest["minutes"] else "day"
    local = F.from_utc_timestamp(F.col("made_at"), manifest["timeZone"])
    price = F.col(columns["price"])
    tie_break = F.col(columns["tieBreak"]) if columns.get("tieBreak") else F.lit(0)
    counted = F.col(columns["symbol"]).isNotNull() & price.isNotNull() & F.col(columns["size"]).isNotNull()
    if manifest["isFloating"]:
        counted = counted & ~F.isnan(price)
    rows = (
        trades.where(counted & F.col(columns["time"]).isNotNull())
        .select(
            F.col(columns["symbol"]).alias("symbol"),
            price.alias("price"),
            # Added up in the type of the sum, which is wide enough.
            F.col(columns["size"]).cast(manifest["volume"]).alias("size"),
            F.col(columns["time"]).alias("traded_at"),
            tie_break.alias("tie_break"),
        )
        # As Athena has it, in milliseconds: `div` cuts towards zero, so the rest goes first.
        .withColumn(
            "made_at",
            F.expr("timestamp_millis((traded_at - pmod(traded_at, 1000000)) div 1000000)")
            if manifest["isNanos"]
            else F.col("traded_at"),
        )
        .withColumn("local", local)
        .withColumn("midnight", F.to_utc_timestamp(F.date_trunc("day", F.col("local")), manifest["timeZone"]))
        .withColumn(begin, bar_begin(manifest["minutes"]))
        .withColumn("bar_date", F.date_format(F.col("local"), "yyyy-MM-dd"))
    )
    of_bar = Window.partitionBy("symbol", begin)
    first = of_bar.orderBy(F.col("traded_at").asc(), F.col("tie_break").asc_nulls_first(), F.col("price").asc())
    last = of_bar.orderBy(F.col("traded_at").desc(), F.col("tie_break").desc_nulls_last(), F.col("price").desc())
    ranked = (
        rows.where(F.col("bar_date").isin(manifest["days"]))
        .withColumn("from_first", F.row_number().over(first))
        .withColumn("from_last", F.row_number().over(last))
    )
    return (
        ranked.groupBy("symbol", begin, "bar_date")
        .agg(
            F.max(F.when(F.col("from_first") == 1, F.col("price"))).alias("open"),
            F.max("price").alias("high"),
            F.min("price").alias("low"),
            F.max(F.when(F.col("from_last") == 1, F.col("price"))).alias("close"),
            F.sum("size").cast(manifest["volume"]).alias("volume"),
            F.count(F.lit(1)).alias("trades"),
        )
        .select("symbol", begin, "open", "high", "low", "close", "volume", "trades", "bar_date")
    )


def main():
    spark = (
        SparkSession.builder.appName("trades-to-bars")
        # A sum that is too large is an error and no other number.
        .config("spark.sql.ansi.enabled", "true")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.sql.parquet.outputTimestampType", "TIMESTAMP_MILLIS")
        .config("spark.sql.parquet.int96RebaseModeInRead", "CORRECTED")
        .config("spark.sql.parquet.datetimeRebaseModeInRead", "CORRECTED")
        .getOrCreate()
    )
    manifest = json.loads(spark.read.text(argument("manifest"), wholetext=True).first()[0])
    folders = existing(spark, manifest["folders"])
    if not folders:
        return
    trades = spark.read.schema(manifest["schema"]).option("recursiveFileLookup", "true").parquet(*folders)
    bars(trades, manifest).repartition("bar_date").write.mode("errorifexists").partitionBy("bar_date").option(
        "compression", "snappy"
    ).parquet(manifest["target"])


if __name__ == "__main__":
    main()
