"""PyAthena against the local Athena: cursors, parameters, reflection, the golden queries, 100,000 rows."""

import functools
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timezone
from decimal import Decimal

import pandas as pd
import pyarrow.fs
from athena_client import athena, aws, base_of, bucket, endless, golden, near, new_place, queries, results, wanted_values
from athena_rows import digest, select as many, wanted
from cases import case, expect, refused
from pyathena import connect
from pyathena.arrow.cursor import ArrowCursor
from pyathena.async_cursor import AsyncCursor
from pyathena.cursor import DictCursor
from pyathena.error import OperationalError
from pyathena.pandas.cursor import PandasCursor
from pyathena.pandas.util import to_sql
from sqlalchemy import MetaData, Table, create_engine, func, inspect, select
from sqlalchemy.exc import NoSuchTableError

# ArrowCursor makes a file system of its own, which takes no endpoint from anywhere.
pyarrow.fs.S3FileSystem = functools.partial(pyarrow.fs.S3FileSystem, endpoint_override=aws["endpoint"])

connection = connect(s3_staging_dir=results, schema_name=golden, poll_interval=0.01)
first = "SELECT id, ts, symbol, price, px, side, tags, attrs FROM trades WHERE id <= 2 ORDER BY id"
ids = [1, 2]
times = [datetime(2024, 3, 8, 12, 0, 0, 924000), datetime(2024, 3, 8, 12, 9, 0, 310000)]


def fetch(sql, cursor=None, **more):
    with connection.cursor(cursor) if cursor else connection.cursor() as opened:
        return opened.execute(sql, **more).fetchall()


def reason_of(error):
    return str(error).split(":")[0] if isinstance(error, OperationalError) else repr(error)


@case
def cursors():
    """PyAthena: Cursor, DictCursor and AsyncCursor read a table"""
    found = fetch(first)
    expect(found[0][:5], (1, times[0], "MSFT", 409.3775, Decimal("409.3775")))
    expect(found[0][6:], (["t1", "odd1"], {"fee": "0.125", "reb": "0.5"}))
    expect([row["ts"] for row in fetch(first, DictCursor)], times)
    with connection.cursor(AsyncCursor) as cursor:
        _, future = cursor.execute("SELECT count(*) FROM trades")
        expect(future.result().fetchall(), [(120,)])
        _, future = cursor.execute("SELECT 1/0")
        expect(future.result().state, "FAILED")


@case
def frames():
    """PyAthena: PandasCursor reads a table from the result file, and from what UNLOAD wrote"""
    with connection.cursor(PandasCursor) as cursor:
        frame = cursor.execute(first).as_pandas()
    expect(list(frame["id"]), ids)
    expect([at.to_pydatetime() for at in frame["ts"]], times)
    with connection.cursor(PandasCursor, unload=True) as cursor:
        frame = cursor.execute(first).as_pandas()
    expect(list(frame["id"]), ids)
    expect([at.to_pydatetime() for at in frame["ts"]], times)
    expect([list(tags) for tags in frame["tags"]], [["t1", "odd1"], ["t2", "odd0"]])


@case
def arrow():
    """PyAthena: ArrowCursor reads a table from the result file, and from what UNLOAD wrote"""
    with connection.cursor(ArrowCursor) as cursor:
        found = cursor.execute(first).as_arrow().to_pylist()
    expect([row["ts"] for row in found], times)
    with connection.cursor(ArrowCursor, unload=True) as cursor:
        found = cursor.execute(first).as_arrow().to_pylist()
    expect([row["px"] for row in found], [Decimal("409.3775"), Decimal("410.1793")])
    expect(found[0]["attrs"], [("fee", 0.125), ("reb", 0.5)])


@case
def parameters():
    """PyAthena: parameters as the client writes them, and as Athena takes them"""
    sql = "SELECT id FROM trades WHERE symbol = {} AND id < {} ORDER BY id"
    wanted = [(1,), (2,), (3,), (5,), (9,), (14,), (15,)]
    expect(fetch(sql.format("%(symbol)s", "%(id)d"), parameters={"symbol": "MSFT", "id": 20}), wanted)
    expect(fetch(sql.format("?", "?"), parameters=["'MSFT'", "20"], paramstyle="qmark"), wanted)
    given = {"text": "it's", "none": None, "day": date(2024, 3, 8), "at": times[0]}
    found = fetch("SELECT %(text)s, %(none)s, %(day)s, %(at)s", parameters=given)
    expect(found, [tuple(given.values())])


@case
def failures():
    """PyAthena: what fails says why"""
    refused(lambda: fetch("SELECT 1/0"), reason_of, "DIVISION_BY_ZERO")
    refused(lambda: fetch("SELECT 1 FROM missing"), reason_of, "TABLE_NOT_FOUND")
    with connection.cursor() as cursor:
        error = refused(lambda: cursor.execute("SELECT nothing FROM trades"), reason_of, "COLUMN_NOT_FOUND")
        status = athena.get_query_execution(QueryExecutionId=cursor.query_id)["QueryExecution"]["Status"]
    expect((status["State"], status["AthenaError"]["ErrorCategory"]), ("FAILED", 2))
    expect(status["StateChangeReason"], str(error))


@case
def statements():
    """PyAthena: SHOW, DESCRIBE, CREATE, INSERT and DROP"""
    expect(fetch("SHOW TABLES"), [("quotes",), ("trades",)])
    expect(fetch("SHOW PARTITIONS trades"), [(f"dt=2024-03-{day}",) for day in ("08", "09", "10")])
    expect(fetch("DESCRIBE quotes")[0][0].split(), ["ts", "timestamp"])
    expect(fetch("SHOW CREATE TABLE quotes")[0], ("CREATE EXTERNAL TABLE `golden.quotes`(",))
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE made_here WITH (format = 'PARQUET') AS SELECT id, ts FROM trades WHERE id < 4")
        expect((cursor.substatement_type, cursor.rowcount), ("CREATE_TABLE_AS_SELECT", 3))
        cursor.execute("INSERT INTO made_here SELECT id, ts FROM trades WHERE id = 9")
        expect((cursor.substatement_type, cursor.rowcount), ("INSERT", 1))
        expect(fetch("SELECT sum(id) FROM made_here"), [(1 + 2 + 3 + 9,)])
        cursor.execute("DROP TABLE made_here")
        refused(lambda: cursor.execute("SELECT 1 FROM made_here"), reason_of, "TABLE_NOT_FOUND")


@case
def reflection():
    """PyAthena: SQLAlchemy reflects schemas, tables and columns, and selects"""
    engine = create_engine(
        f"awsathena+rest://:@athena.{aws['region']}.amazonaws.com:443/{golden}?s3_staging_dir={results}&poll_interval=0.01"
    )
    found = inspect(engine)
    expect(golden in found.get_schema_names(), True)
    expect(found.get_table_names(golden), ["quotes", "trades"])
    columns = {column["name"]: str(column["type"]) for column in found.get_columns("trades", golden)}
    expect([columns[name] for name in ("id", "ts", "px", "dt")], ["BIGINT", "TIMESTAMP", "DECIMAL(18, 4)", "VARCHAR"])
    expect((found.has_table("trades", golden), found.has_table("missing", golden)), (True, False))
    refused(lambda: found.get_columns("missing", golden), lambda error: type(error), NoSuchTableError)
    expect(found.get_pk_constraint("trades", golden)["constrained_columns"], [])
    trades = Table("trades", MetaData(), autoload_with=engine)
    with engine.connect() as opened:
        by_symbol = select(trades.c.symbol, func.count()).group_by(trades.c.symbol).order_by(trades.c.symbol)
        expect(opened.execute(by_symbol).fetchall(), [("AAPL", 37), ("BRK.B", 45), ("MSFT", 38)])
        symbol = select(func.count()).where(trades.c.symbol == "MSFT", trades.c.ts < datetime(2024, 3, 9))
        expect(opened.execute(symbol).scalar(), fetch("SELECT count(*) FROM trades WHERE symbol = 'MSFT' AND dt = '2024-03-08'")[0][0])


def utc(row):
    """PyAthena's zone of UTC is another object than Python's."""
    return tuple(
        value.astimezone(timezone.utc) if isinstance(value, datetime) and value.tzinfo else value for value in row
    )


@case
def writing_frames():
    """PyAthena: to_sql writes a frame as a partitioned table, and asks information_schema whether it is there"""
    rows = [(1, "x", 1.5, times[0], "u"), (2, None, None, times[1], "v"), (3, "z", 2.5, None, "v")]
    frame = pd.DataFrame(rows, columns=["id", "text", "ratio", "at", "key"])
    place = new_place()
    more = {"schema": golden, "partitions": ["key"], "executor_class": ThreadPoolExecutor}
    write = lambda if_exists: to_sql(frame, "by_pandas", connection, place, if_exists=if_exists, **more)
    try:
        write("replace")
        expect(fetch("SELECT * FROM by_pandas ORDER BY id"), rows)
        write("append")
        expect(fetch('SELECT key, count(*) FROM by_pandas GROUP BY key ORDER BY key'), [("u", 2), ("v", 4)])
        expect(fetch('SELECT * FROM "by_pandas$partitions" ORDER BY 1'), [("u",), ("v",)])
        refused(lambda: write("fail"), reason_of, "Table `golden.by_pandas` already exists.")
        write("replace")
        expect(fetch("SELECT count(*) FROM by_pandas"), [(3,)])
        asked = "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = 'by_pandas' AND extra_info {}"
        expect(len(fetch(asked.format("IS NULL"))), 4)
        expect(fetch(asked.format("= 'partition key'")), [("key", "varchar")])
    finally:
        fetch("DROP TABLE IF EXISTS by_pandas")


@case
def executions():
    """PyAthena: results are reused, found again, and stopped; work groups say where they go, or keep them"""
    sql = "SELECT count(*) FROM trades WHERE id < 50"

    def run(opened=connection, **more):
        with opened.cursor() as cursor:
            expect(cursor.execute(sql, **more).fetchall(), [(49,)])
            return cursor.query_id, cursor.reused_previous_result, cursor.output_location

    reuse = {"result_reuse_enable": True, "result_reuse_minutes": 5}
    id, reused, _ = run(**reuse)
    expect(reused, False)
    expect(run(**reuse)[1], True)
    expect(run(cache_size=10)[0] == run()[0], False)
    last = run()[0]
    expect(run(cache_size=10)[0], last)
    with connection.cursor(AsyncCursor) as cursor:
        id, future = cursor.execute(endless)
        cursor.cancel(id).result()
        expect(future.result().state, "CANCELLED")
    place = new_place()
    enforced = {"ResultConfiguration": {"OutputLocation": place}, "EnforceWorkGroupConfiguration": True}
    athena.create_work_group(Name=f"{bucket}-enforced", Configuration=enforced)
    athena.create_work_group(Name=f"{bucket}-managed", Configuration={"ManagedQueryResultsConfiguration": {"Enabled": True}})
    settings = {"schema_name": golden, "poll_interval": 0.01}
    expect(run(connect(work_group=f"{bucket}-enforced", s3_staging_dir=results, **settings))[2].startswith(place), True)
    expect(run(connect(work_group=f"{bucket}-managed", **settings))[2], None)


@case
def golden_queries():
    """PyAthena: the 36 golden queries have the golden names, types and rows"""
    expect(len(queries), 36)
    wrong = []
    for name, query in queries.items():
        with connection.cursor() as cursor:
            if "error" in query:
                refused(lambda: cursor.execute(query["sql"]), reason_of, query["error"]["name"])
                continue
            found = [utc(row) for row in cursor.execute(query["sql"]).fetchall()]
            heads = [(head[0], head[1]) for head in cursor.description]
        columns = [(column["name"], base_of(column["type"]).lower()) for column in query["columns"]]
        if heads != columns:
            wrong.append(f"{name}: {heads} are not {columns}")
        answer = wanted_values(query)
        if not near(found, answer):
            wrong.append(f"{name}: {found[:3]} are not {answer[:3]}")
    expect(wrong, [])


@case
def many_rows():
    """PyAthena: 100,000 rows by pages of 1,000, as a frame, and as Arrow"""
    with connection.cursor() as cursor:
        expect(digest(cursor.execute(many)), wanted)
    with connection.cursor(PandasCursor) as cursor:
        frame = cursor.execute(many).as_pandas()
        expect(digest(frame.itertuples(index=False)), wanted)
    with connection.cursor(ArrowCursor, unload=True) as cursor:
        table = cursor.execute(many).as_arrow().sort_by("id")
        expect(digest(zip(*(column.to_pylist() for column in table.columns))), wanted)
