"""A table of 100,000 rows, `numbers`, as pyarrow wrote it, and what is to be read of it."""

import io
from datetime import timezone
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
from athena_client import bucket, glue, rows, s3

database = f"{bucket}-numbers".replace("-", "_")
select = f"SELECT id, at, symbol, ratio, price FROM {database}.numbers ORDER BY id"
first_at = 1_709_899_200_000
_symbols = ["AAPL", "BRK.B", "CON", "a b", "ß"]


def _table():
    numbers = range(rows)
    return pa.table(
        {
            "id": pa.array(numbers, pa.int64()),
            "at": pa.array([first_at + number for number in numbers], pa.timestamp("ms")),
            "symbol": [None if number % 7 == 0 else _symbols[number % 5] for number in numbers],
            "ratio": [number / 8 for number in numbers],
            "price": pa.array([Decimal(number).scaleb(-4) for number in numbers], pa.decimal128(18, 4)),
        }
    )


def _create():
    body = io.BytesIO()
    pq.write_table(_table(), body, row_group_size=20_000)
    s3.put_object(Bucket=bucket, Key="numbers/a.parquet", Body=body.getvalue())
    types = {"id": "bigint", "at": "timestamp", "symbol": "string", "ratio": "double", "price": "decimal(18,4)"}
    parquet = "org.apache.hadoop.hive.ql.io.parquet"
    storage = {
        "Columns": [{"Name": name, "Type": type_name} for name, type_name in types.items()],
        "Location": f"s3://{bucket}/numbers/",
        "InputFormat": f"{parquet}.MapredParquetInputFormat",
        "OutputFormat": f"{parquet}.MapredParquetOutputFormat",
        "SerdeInfo": {"SerializationLibrary": f"{parquet}.serde.ParquetHiveSerDe"},
    }
    glue.create_database(DatabaseInput={"Name": database})
    glue.create_table(
        DatabaseName=database,
        TableInput={"Name": "numbers", "TableType": "EXTERNAL_TABLE", "StorageDescriptor": storage},
    )


_create()


def digest(found):
    """Rows, all of them and in order: their number, and sums that each cell has a part in."""
    count = ids = millis = nulls = letters = 0
    ratios = 0.0
    prices = Decimal(0)
    for number, (id, at, symbol, ratio, price) in enumerate(found):
        if int(id) != number:
            raise AssertionError(f"row {number} has the id {id}")
        count += 1
        ids += int(id)
        millis += round(at.replace(tzinfo=timezone.utc).timestamp() * 1000) - first_at
        if isinstance(symbol, str):
            letters += len(symbol)
        else:
            nulls += 1
        ratios += float(ratio)
        prices += price
    return count, ids, millis, nulls, letters, ratios, prices


_numbers = range(rows)
wanted = (
    rows,
    sum(_numbers),
    sum(_numbers),
    len(range(0, rows, 7)),
    sum(len(_symbols[number % 5]) for number in _numbers if number % 7),
    sum(_numbers) / 8,
    Decimal(sum(_numbers)).scaleb(-4),
)
