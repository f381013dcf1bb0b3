"""pyarrow reads what the sink wrote: lists, maps and structs below s3://nested/orders/ (checks/clients/nested-orders.js)."""

from datetime import date, datetime, timedelta
from decimal import Decimal

from cases import case, expect, run_cases
from pyarrow import dataset
from s3_arrow_files import files

rows = 5000


def row(serial):
    """Row `serial` as pyarrow reads it; a map is a list of pairs."""
    numbers = range(serial % 4)
    return {
        "serial": serial,
        "tags": None if serial % 3 == 0 else [None if n == 1 else f"tag {serial} é🐂 {n}" for n in numbers],
        "fees": None
        if serial % 3 == 1
        else [(f"fee {n}", None if n == 2 else Decimal(f"{serial}.25")) for n in numbers],
        "days": [
            (date(2024, 3, n + 1), datetime(1970, 1, 1) + timedelta(milliseconds=serial * 1000 + n)) for n in numbers
        ],
        "legs": [
            {
                "price": Decimal(f"-{serial}.000000000{n}"),
                "sizes": None if n == 0 else [size - 2**62 for size in numbers],
                "raw": bytes([serial % 256, n]),
            }
            for n in numbers
        ],
        "venue": None
        if serial % 3 == 2
        else {"name": f"venue {serial}", "levels": [(-n, n / 2) for n in numbers]},
    }


@case
def nested_columns():
    """pyarrow: 5,000 rows of lists, maps and structs are what the sink was given"""
    read = dataset.dataset("nested/orders", filesystem=files, format="parquet").to_table().sort_by("serial")
    expect(read.num_rows, rows)
    for serial, found in enumerate(read.to_pylist()):
        expect(found, row(serial), f"row {serial}")


run_cases()
