"""What pyarrow reads of files the engine wrote, against the rows that went in (checks/parquet-readers.js)."""

import datetime
import decimal
import json
import pathlib
import sys

from pyarrow import compute, parquet

folder = pathlib.Path(sys.argv[1])
lines = (folder / "rows.txt").read_text(encoding="utf-8").split("\n")
epoch = datetime.datetime(1970, 1, 1)


def exponential(value):
    mantissa, exponent = f"{value:.12e}".split("e")
    return f"{mantissa}e{int(exponent):+d}"


def told(value):
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else exponential(value)
    if isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, decimal.Decimal):
        return f"{value:f}"
    if isinstance(value, datetime.datetime):
        return str((value - epoch) // datetime.timedelta(milliseconds=1))
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, dict):
        return "(" + ",".join(told(one) for one in value.values()) + ")"
    if isinstance(value, list) and value and isinstance(value[0], tuple):
        return "{" + ",".join(f"{key}:{told(one)}" for key, one in value) + "}"
    return "[" + ",".join(told(one) for one in value) + "]"


def check(condition, what):
    if not condition:
        raise SystemExit(f"{what}")


for described in json.loads((folder / "files.json").read_text()):
    path = folder / described["name"]
    file = parquet.ParquetFile(path)
    metadata = file.metadata
    table = file.read()
    found = ["\t".join(told(one) for one in row.values()) for row in table.to_pylist()]
    # pyarrow has no map type of its own: an empty one comes as an empty list.
    wanted = [line.replace("\t{}\t", "\t[]\t") for line in lines]
    if described["sorted"]:
        serial = lambda line: int(line.rsplit("\t", 1)[1])
        check(sorted(found, key=serial) == wanted, f"{path}: other rows")
        texts = file.read_row_group(0).column("text").combine_chunks()
        ascending = [one.encode() for one in texts.to_pylist() if one is not None]
        check(ascending == sorted(ascending), f"{path}: text is not sorted")
        first, second = metadata.row_group(0).sorting_columns
        names = [metadata.row_group(0).column(one.column_index).path_in_schema for one in (first, second)]
        check(names == ["text", "whole"] and second.descending and second.nulls_first, f"{path}: sorting columns")
    else:
        for index, (one, other) in enumerate(zip(found, wanted)):
            check(one == other, f"{path}: row {index}\n{one}\n{other}")
        check(len(found) == len(wanted), f"{path}: {len(found)} rows")
    check(metadata.num_row_groups == 2, f"{path}: {metadata.num_row_groups} row groups")
    check(metadata.created_by.startswith("stockpipe version "), f"{path}: {metadata.created_by}")
    for group in range(metadata.num_row_groups):
        part = file.read_row_group(group)
        for index in range(metadata.row_group(group).num_columns):
            chunk = metadata.row_group(group).column(index)
            name = chunk.path_in_schema
            codec = {"none": "UNCOMPRESSED"}.get(described["codec"], described["codec"].upper())
            check(chunk.compression == codec, f"{path}: {name} is {chunk.compression}")
            check(chunk.has_offset_index and chunk.has_column_index, f"{path}: {name} has no page index")
            if name in ("long", "whole", "born", "at", "amount", "widest", "price", "real", "serial", "flag", "tiny"):
                values = part.column(name)
                bounds = compute.min_max(values).as_py()
                statistics = chunk.statistics
                check(
                    (statistics.min, statistics.max) == (bounds["min"], bounds["max"]),
                    f"{path}: {name} from {statistics.min} to {statistics.max}, not {bounds}",
                )
                check(statistics.null_count == values.null_count, f"{path}: nulls of {name}")
    print(f"ok pyarrow: {described}", flush=True)
