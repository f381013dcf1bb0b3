"""The cases of pyarrow's S3 file system, which is the AWS SDK for C++."""

import pyarrow
from cases import case, expect, refused
from pyarrow import dataset, fs, parquet
from s3_arrow_files import files
from s3_client import bucket, create_bucket, s3

bars = pyarrow.table({"day": ["2024-01-02", "2024-01-03"] * 500, "number": list(range(1000)), "close": [1.5] * 1000})
kind_of = lambda error: type(error).__name__


@case
def parquet_file():
    """pyarrow: write a Parquet file, read it whole and by column, and read its metadata"""
    path = f"{bucket}/arrow/bars.parquet"
    parquet.write_table(bars, path, filesystem=files)
    expect(parquet.read_table(path, filesystem=files).equals(bars), True, "read whole")
    numbers = parquet.read_table(path, filesystem=files, columns=["number"])
    expect(numbers.column("number").to_pylist(), list(range(1000)))
    expect(parquet.read_metadata(path, filesystem=files).num_rows, 1000)


@case
def partitioned_dataset():
    """pyarrow: write a data set by Hive partitions, list it, and read one of them"""
    root = f"{bucket}/arrow/dataset"
    by_day = dataset.partitioning(pyarrow.schema([("day", pyarrow.string())]), flavor="hive")
    dataset.write_dataset(bars, root, filesystem=files, format="parquet", partitioning=by_day)
    found = dataset.dataset(root, filesystem=files, format="parquet", partitioning="hive")
    expect(sorted(found.files), [f"{root}/day=2024-01-0{day}/part-0.parquet" for day in (2, 3)])
    expect(found.count_rows(), 1000)
    expect(found.count_rows(filter=dataset.field("day") == "2024-01-03"), 500)
    keys = [entry["Key"] for entry in s3.list_objects_v2(Bucket=bucket, Prefix="arrow/dataset/day=")["Contents"]]
    expect([key for key in keys if not key.endswith("/")], [path.split("/", 1)[1] for path in sorted(found.files)])


@case
def large_stream():
    """pyarrow: a stream of 12 MB goes up in parts and comes back, also at random"""
    path, block = f"{bucket}/arrow/stream", bytes(range(256)) * 4096
    with files.open_output_stream(path, metadata={"Content-Type": "application/x-test"}) as stream:
        for _ in range(12):
            stream.write(block)
    info = files.get_file_info(path)
    expect((info.type, info.size), (fs.FileType.File, 12 * len(block)))
    with files.open_input_file(path) as file:
        file.seek(11 * len(block) + 7)
        expect(file.read(3), bytes([7, 8, 9]))
        expect(file.read_at(5, 300), block[300:305])
    with files.open_input_stream(path) as stream:
        expect(stream.read() == block * 12, True, "the whole stream")
    expect(s3.head_object(Bucket=bucket, Key="arrow/stream")["ContentType"], "application/x-test")


@case
def folders():
    """pyarrow: make, list, move into and delete folders"""
    root = f"{create_bucket()}/top"
    files.create_dir(f"{root}/empty/inner", recursive=True)
    for name in ("one", "two/three"):
        with files.open_output_stream(f"{root}/{name}") as stream:
            stream.write(name.encode())
    listed = files.get_file_info(fs.FileSelector(root, recursive=True))
    found = {info.path.removeprefix(f"{root}/"): info.type for info in listed}
    wanted = {"empty": fs.FileType.Directory, "empty/inner": fs.FileType.Directory, "one": fs.FileType.File}
    expect(found, {**wanted, "two": fs.FileType.Directory, "two/three": fs.FileType.File})
    files.copy_file(f"{root}/one", f"{root}/copy")
    files.move(f"{root}/copy", f"{root}/moved")
    with files.open_input_stream(f"{root}/moved") as stream:
        expect(stream.read(), b"one")
    files.delete_dir_contents(root)
    expect(files.get_file_info(fs.FileSelector(root, recursive=True)), [])
    files.delete_dir(root)
    expect(files.get_file_info(root).type, fs.FileType.NotFound)


@case
def bucket_folder():
    """pyarrow: make and delete a bucket as a folder"""
    name = f"{bucket}-arrow"
    files.create_dir(name)
    expect(files.get_file_info(name).type, fs.FileType.Directory)
    files.delete_dir(name)
    expect(files.get_file_info(name).type, fs.FileType.NotFound)


@case
def refusals():
    """pyarrow: appending and reading what is missing are refused"""
    refused(lambda: files.open_append_stream(f"{bucket}/arrow/bars.parquet"), kind_of, "ArrowNotImplementedError")
    refused(lambda: files.open_input_file(f"{bucket}/arrow/missing"), kind_of, "FileNotFoundError")
    refused(lambda: files.delete_file(f"{bucket}/arrow/missing"), kind_of, "FileNotFoundError")
    missing = lambda: files.get_file_info(fs.FileSelector(f"{bucket}/nowhere"))
    refused(missing, kind_of, "FileNotFoundError")
