"""awswrangler against the local Athena and Glue: queries in its three ways, its catalog, its data sets, 100,000 rows."""

import warnings
from datetime import date, datetime
from decimal import Decimal

import awswrangler as wr
import pandas as pd
from athena_client import athena, base_of, bucket, endless, golden, kinds_of, near, new_place, queries, results, wanted_values
from athena_rows import database as numbers
from athena_rows import digest, wanted
from athena_rows import select as many
from awswrangler.exceptions import EmptyDataFrame, InvalidArgumentValue, QueryFailed, UnsupportedType
from cases import case, expect, refused

# Maps and lists of pandas, about which it says that they cannot be told from other objects.
warnings.filterwarnings("ignore", category=FutureWarning)

database = f"{bucket}-wrangler".replace("-", "_")
wr.catalog.create_database(database)
times = [datetime(2024, 3, 8, 12, 0, 0, 924000), datetime(2024, 3, 8, 12, 9, 0, 310000)]
first = "SELECT id, ts, symbol, price, px, side, tags, attrs FROM trades WHERE id <= 2 ORDER BY id"
quick = {"athena_query_wait_polling_delay": 0.01}


def ways():
    """The three ways to have an answer: by the result file, by a table, by UNLOAD."""
    return {
        "file": {"ctas_approach": False, "s3_output": results},
        "table": {"ctas_approach": True, "s3_output": new_place()},
        "unload": {"ctas_approach": False, "unload_approach": True, "s3_output": new_place()},
    }


def read(sql, schema=golden, way="file", **more):
    return wr.athena.read_sql_query(sql, database=schema, **ways()[way], **quick, **more)


def reason_of(error):
    if isinstance(error, InvalidArgumentValue) and "define all columns names" in str(error):
        return "MISSING_COLUMN_NAME"
    return str(error).split(":")[0] if isinstance(error, QueryFailed) else repr(error)


@case
def reading():
    """awswrangler: read_sql_query reads a table by the result file, by CTAS and by UNLOAD"""
    for way in ways():
        frame = read(first, way=way)
        expect(list(frame["id"]), [1, 2], way)
        expect([at.to_pydatetime() for at in frame["ts"]], times, way)
        expect(list(frame["px"]), [Decimal("409.3775"), Decimal("410.1793")], way)
        if way != "file":
            expect([list(tags) for tags in frame["tags"]], [["t1", "odd1"], ["t2", "odd0"]], way)
            expect(frame["attrs"][0], [("fee", 0.125), ("reb", 0.5)], way)
    expect(wr.catalog.does_table_exist(golden, "temp_table"), False)
    expect([table for table in wr.catalog.tables(database=golden)["Table"]], ["quotes", "trades"], "tables left")
    frame = wr.athena.read_sql_table("quotes", database=golden, s3_output=new_place())
    expect(frame.shape, (540, 4))


@case
def chunks_and_parameters():
    """awswrangler: read_sql_query by chunks, with named and with positional parameters"""
    for way in ways():
        sizes = [len(frame) for frame in read("SELECT id FROM trades", way=way, chunksize=50)]
        expect((sum(sizes), max(sizes)), (120, 50), way)
    sql = "SELECT count(*) AS n FROM trades WHERE symbol = {} AND id < {}"
    expect(read(sql.format(":symbol", ":id"), params={"symbol": "MSFT", "id": 20})["n"][0], 7)
    expect(read(sql.format("?", "?"), params=["'MSFT'", "20"], paramstyle="qmark")["n"][0], 7)
    for way in ways():
        refused(lambda: read("SELECT 1/0 AS a", way=way), reason_of, "DIVISION_BY_ZERO")


@case
def executions():
    """awswrangler: start_query_execution, wait_query, get_query_results, stop_query_execution"""
    start = lambda sql: wr.athena.start_query_execution(sql, database=golden, s3_output=results)
    id = start("SELECT symbol, count(*) AS n FROM trades GROUP BY symbol ORDER BY symbol")
    expect(wr.athena.wait_query(id, **quick)["Status"]["State"], "SUCCEEDED")
    expect(wr.athena.get_query_results(id)["n"].tolist(), [37, 45, 38])
    expect(wr.athena.get_query_columns_types(id), {"symbol": "varchar", "n": "bigint"})
    expect(wr.athena.get_query_execution(id)["Statistics"]["DataScannedInBytes"] > 0, True)
    id = start(endless)
    wr.athena.stop_query_execution(id)
    expect(wr.athena.get_query_execution(id)["Status"]["State"], "CANCELLED")


@case
def catalog():
    """awswrangler: databases, tables, types, partitions and versions of the catalog"""
    expect({golden, database} <= set(wr.catalog.databases(limit=1000)["Database"]), True)
    types = wr.catalog.get_table_types(golden, "trades")
    expect((types["px"], types["tags"], types["dt"]), ("decimal(18,4)", "array<string>", "string"))
    expect(list(wr.catalog.table(golden, "trades")["Partition"]).count(True), 1)
    days = [[f"2024-03-{day}"] for day in ("08", "09", "10")]
    expect(list(wr.catalog.get_partitions(golden, "trades").values()), days)
    expect([table["Name"] for table in wr.catalog.get_tables(database=golden, name_contains="rade")], ["trades"])
    expect("quotes" in [table["Name"] for table in wr.catalog.search_tables(text="quotes")], True)
    place = new_place()
    wr.catalog.create_parquet_table(
        database, "declared", place, columns_types={"id": "bigint"}, partitions_types={"day": "int"},
        parameters={"made": "here"}, description="declared", columns_comments={"id": "a number"},
    )
    wr.catalog.add_parquet_partitions(database, "declared", {f"{place}day={day}/": [str(day)] for day in range(150)})
    expect(len(wr.catalog.get_parquet_partitions(database, "declared")), 150)
    wanted = [["7"]]
    expect(list(wr.catalog.get_parquet_partitions(database, "declared", expression="day = 7").values()), wanted)
    wr.catalog.delete_partitions("declared", database, [[str(day)] for day in range(30)])
    expect(len(wr.catalog.get_parquet_partitions(database, "declared")), 120)
    wr.catalog.add_column(database, "declared", "price", "double", column_comment="in dollars")
    wr.catalog.delete_column(database, "declared", "id")
    expect(wr.catalog.get_table_types(database, "declared"), {"price": "double", "day": "int"})
    wr.catalog.upsert_table_parameters({"more": "1"}, database, "declared")
    expect({"made": "here", "more": "1"}.items() <= wr.catalog.get_table_parameters(database, "declared").items(), True)
    expect(wr.catalog.get_table_description(database, "declared"), "declared")
    expect(wr.catalog.get_table_number_of_versions(database, "declared") > 2, True)
    expect(wr.catalog.delete_table_if_exists(database, "declared"), True)
    expect(wr.catalog.delete_table_if_exists(database, "declared"), False)


def frame(days, first_id=0, **more):
    ids = range(first_id, first_id + len(days))
    return pd.DataFrame(
        {
            "id": list(ids),
            "at": [pd.Timestamp("2024-03-08 12:00:00.123") + pd.Timedelta(days=number) for number in ids],
            "price": [None if number % 3 == 0 else number / 4 for number in ids],
            "exact": [Decimal(number).scaleb(-2) for number in ids],
            "symbol": [None if number % 2 == 0 else f"s'{number}é" for number in ids],
            "on": [date(2024, 3, 8) for _ in ids],
            "flag": [number % 2 == 0 for number in ids],
            "day": days,
            **more,
        }
    )


@case
def data_sets():
    """awswrangler: to_parquet makes, appends to and overwrites a partitioned table, which Athena reads"""
    place = new_place()
    write = lambda rows, mode, **more: wr.s3.to_parquet(
        rows, place, dataset=True, database=database, table="kept", partition_cols=["day"], mode=mode, **more
    )
    days = ["2024-03-08", "2024-03-09"]
    write(frame([days[0], days[0], days[1]]), "overwrite")
    ask = lambda sql: [tuple(row) for row in read(sql, database).itertuples(index=False)]
    found = read("SELECT * FROM kept ORDER BY id", database)
    expect(wr.catalog.get_table_types(database, "kept")["exact"], "decimal(2,2)")
    expect([at.to_pydatetime() for at in found["at"]], [datetime(2024, 3, 8 + n, 12, 0, 0, 123000) for n in range(3)])
    expect([None if text is pd.NA else text for text in found["symbol"]], [None, "s'1é", None])
    expect((list(found["on"]), list(found["flag"])), ([date(2024, 3, 8)] * 3, [True, False, True]))
    write(frame([days[1], "2024-03-10"], first_id=3, size=[1, 2]), "append")
    counts = "SELECT day, count(*), sum(size) FROM kept GROUP BY day ORDER BY day"
    expect([row[:2] for row in ask(counts)], [(days[0], 2), (days[1], 2), ("2024-03-10", 1)])
    write(frame([days[1]], first_id=9, size=[7]), "overwrite_partitions")
    expect([row[:2] for row in ask(counts)], [(days[0], 2), (days[1], 1), ("2024-03-10", 1)])
    expect(ask(f"SELECT id, size FROM kept WHERE day = '{days[1]}'"), [(9, 7)])
    back = wr.s3.read_parquet(place, dataset=True, partition_filter=lambda keys: keys["day"] == days[1])
    expect(back["id"].tolist(), [9])
    expect(len(wr.s3.read_parquet_table("kept", database, partition_filter=lambda keys: keys["day"] == days[0])), 2)
    # Files that somebody else put there.
    wr.s3.to_parquet(frame(["x"], first_id=20).drop(columns=["day"]), f"{place}day=2024-03-11/a.parquet")
    expect(ask("SELECT count(*) FROM kept"), [(4,)])
    expect(wr.athena.repair_table("kept", database, s3_output=results, **quick), "SUCCEEDED")
    expect(ask("SELECT count(*) FROM kept"), [(5,)])
    _, keys, partitions = wr.s3.store_parquet_metadata(place, database, "found", dataset=True)
    expect((keys, len(partitions)), ({"day": "string"}, 4))
    expect(ask("SELECT count(*) FROM found"), [(5,)])


@case
def nested_columns():
    """awswrangler: to_parquet writes arrays and rows with timestamps, which Athena reads"""
    at = pd.Timestamp("2024-03-08 12:00:00.1235")
    rows = pd.DataFrame({"id": [1], "times": [[at]], "legs": [[{"at": at, "size": 5}]]})
    wr.s3.to_parquet(rows, new_place(), dataset=True, database=database, table="nested")
    text = "2024-03-08 12:00:00.124"
    sql = "SELECT id, CAST(times[1] AS varchar) AS a, CAST(legs[1].at AS varchar) AS b, legs[1].size AS c FROM nested"
    expect(read(sql, database).values.tolist(), [[1, text, text, 5]])


@case
def projection():
    """awswrangler: to_parquet makes a table with partition projection"""
    settings = {
        "projection_types": {"day": "date"},
        "projection_ranges": {"day": "2024-03-01,2024-03-31"},
        "projection_formats": {"day": "yyyy-MM-dd"},
    }
    wr.s3.to_parquet(
        frame(["2024-03-08", "2024-03-09"]), new_place(), dataset=True, database=database, table="projected",
        partition_cols=["day"], athena_partition_projection_settings=settings,
    )
    expect(wr.catalog.get_table_parameters(database, "projected")["projection.day.range"], "2024-03-01,2024-03-31")
    found = read("SELECT day, id FROM projected WHERE day > '2024-03-08'", database)
    expect(found.values.tolist(), [["2024-03-09", 1]])


@case
def writing():
    """awswrangler: create_ctas_table, unload, show_create_table, describe_table, generate_create_query"""
    made = wr.athena.create_ctas_table(
        "SELECT id, ts, symbol FROM trades", database=golden, ctas_database=database, ctas_table="by_symbol",
        s3_output=new_place(), storage_format="parquet", write_compression="zstd", partitioning_info=["symbol"],
        wait=True, **quick,
    )
    expect(made["ctas_table"], "by_symbol")
    expect(sorted(wr.catalog.get_partitions(database, "by_symbol").values()), [["AAPL"], ["BRK.B"], ["MSFT"]])
    expect(read("SELECT count(*) AS n FROM by_symbol WHERE symbol = 'AAPL'", database)["n"][0], 37)
    place = new_place()
    wr.athena.unload(
        "SELECT id, symbol FROM trades", path=place, database=golden, file_format="PARQUET", compression="snappy",
        partitioned_by=["symbol"], **quick,
    )
    folders = sorted(wr.s3.list_directories(place))
    expect([folder for folder in folders if "=" in folder], [f"{place}symbol={name}/" for name in ("AAPL", "BRK.B", "MSFT")])
    more = {"database": golden, "s3_output": results}
    created = wr.athena.show_create_table("quotes", **more, **quick)
    expect(created.startswith("CREATE EXTERNAL TABLE `golden.quotes`"), True, created)
    described = wr.athena.describe_table("trades", **more, **quick)
    expect(described[described["Partition"]]["Column Name"].tolist(), ["dt"])
    expect("PARTITIONED BY" in wr.athena.generate_create_query("trades", database=golden), True)


def plain(found, query):
    """The rows of a frame in Python's types."""
    of = {"bigint": int, "integer": int, "boolean": bool, "double": float, "array": list}

    def value(cell, kind):
        if kind not in ("array", "double") and (cell is None or cell is pd.NA or cell is pd.NaT):
            return None
        cell = cell.to_pydatetime() if isinstance(cell, pd.Timestamp) else cell
        return of[kind](cell) if kind in of else cell

    return [tuple(map(value, row, kinds_of(query))) for row in found.itertuples(index=False, name=None)]


def answer_of(query, is_file):
    """The golden rows as a frame has them: a double that is NULL is NaN; in a result file the text NaN is NULL, too."""

    def value(cell, kind):
        if kind == "double" and cell is None:
            return float("nan")
        return None if is_file and cell == "NaN" else cell

    return [tuple(map(value, row, kinds_of(query))) for row in wanted_values(query)]


def is_unloadable(query):
    """Whether a Hive table can hold the answer: each column has a name, and a type that Hive has."""
    return all(
        not column["name"].startswith("_col")
        and base_of(column["type"]) != "timestamp with time zone"
        and column["type"] != "timestamp(0)"
        for column in query["columns"]
    )


@case
def more_reading():
    """awswrangler: caches, reuse, prepared statements, work groups, Arrow types, answers without rows"""
    sql = "SELECT id, symbol FROM trades WHERE id < 50"
    same = lambda **more: read(sql, **more).query_metadata["QueryExecutionId"]
    expect(same(athena_cache_settings={"max_cache_seconds": 900}) == same(), False)
    last = same()
    expect(same(athena_cache_settings={"max_cache_seconds": 900}), last)
    reuse = {"ResultReuseByAgeConfiguration": {"Enabled": True, "MaxAgeInMinutes": 5}}
    reused = read(sql, result_reuse_configuration=reuse).query_metadata
    expect(reused["Statistics"]["ResultReuseInformation"]["ReusedPreviousResult"], True)
    wr.athena.create_prepared_statement("SELECT count(*) AS n FROM trades WHERE symbol = ?", "of_symbol")
    expect(read("EXECUTE of_symbol USING 'MSFT'")["n"][0], 38)
    expect([each["StatementName"] for each in wr.athena.list_prepared_statements()], ["of_symbol"])
    wr.athena.delete_prepared_statement("of_symbol")
    enforced = {"ResultConfiguration": {"OutputLocation": new_place()}, "EnforceWorkGroupConfiguration": True}
    athena.create_work_group(Name=f"{bucket}-group", Configuration=enforced)
    for is_table in (True, False):
        found = wr.athena.read_sql_query(sql, golden, workgroup=f"{bucket}-group", ctas_approach=is_table, **quick)
        expect(len(found), 49)
    arrow = read("SELECT id, ts, tags FROM trades WHERE id < 3", way="unload", dtype_backend="pyarrow")
    expect([str(dtype) for dtype in arrow.dtypes][:2], ["int64[pyarrow]", "timestamp[ms][pyarrow]"])
    expect(read(sql, categories=["symbol"])["symbol"].dtype.name, "category")
    expect(read("SELECT id FROM trades WHERE id < 0").shape, (0, 1))
    # UNLOAD of no rows writes no file, which awswrangler tells so.
    nothing = lambda: read("SELECT id FROM trades WHERE id < 0", way="unload")
    refused(nothing, lambda error: type(error), EmptyDataFrame)


@case
def golden_queries():
    """awswrangler: the 36 golden queries have the golden rows, by the result file and by UNLOAD"""
    expect(len(queries), 36)
    wrong = []
    for name, query in queries.items():
        if "error" in query:
            refused(lambda: read(query["sql"]), reason_of, query["error"]["name"])
            continue
        kinds = kinds_of(query)
        if "INTERVAL DAY TO SECOND" in kinds:
            # awswrangler itself knows none.
            refused(lambda: read(query["sql"]), lambda error: type(error), UnsupportedType)
            continue
        answer = answer_of(query, is_file=True)
        # awswrangler leaves an array of the result file as its text.
        if "array" not in kinds:
            found = plain(read(query["sql"]), query)
            if not near(found, answer):
                wrong.append(f"{name}: {found[:3]} are not {answer[:3]}")
        if not is_unloadable(query):
            is_named = all(not column["name"].startswith("_col") for column in query["columns"])
            reason = "NOT_SUPPORTED" if is_named else "MISSING_COLUMN_NAME"
            refused(lambda: read(query["sql"], way="unload"), reason_of, reason)
            continue
        answer = answer_of(query, is_file=False)
        found = plain(read(query["sql"], way="unload"), query)
        # UNLOAD keeps no order.
        if not near(sorted(found, key=str), sorted(answer, key=str)):
            wrong.append(f"{name} by UNLOAD: {found[:3]} are not {answer[:3]}")
    expect(wrong, [])


@case
def many_rows():
    """awswrangler: 100,000 rows by the result file, by CTAS, by UNLOAD, and by chunks"""
    for way in ways():
        frame = read(many, numbers, way)
        expect(digest(frame.sort_values("id").itertuples(index=False)), wanted, way)
    chunks = read(many, numbers, chunksize=10_000)
    expect(digest(row for chunk in chunks for row in chunk.itertuples(index=False)), wanted, "chunks")
