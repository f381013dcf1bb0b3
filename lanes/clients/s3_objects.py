"""The boto3 cases of objects: put, get, conditions, lists, copies, deletes."""

import datetime
import hashlib

from cases import case, expect, refused
from s3_client import bucket, code_of, create_bucket, s3


def body_of(key, **settings):
    return s3.get_object(Bucket=bucket, Key=key, **settings)["Body"].read()


@case
def buckets():
    """boto3: create, list, head and delete buckets, and what is refused about them"""
    name = create_bucket()
    expect(name in [entry["Name"] for entry in s3.list_buckets()["Buckets"]], True, "listed")
    s3.head_bucket(Bucket=name)
    s3.put_object(Bucket=name, Key="k", Body=b"")
    refused(lambda: s3.delete_bucket(Bucket=name), code_of, "BucketNotEmpty")
    s3.delete_object(Bucket=name, Key="k")
    s3.delete_bucket(Bucket=name)
    refused(lambda: s3.head_bucket(Bucket=name), code_of, "404")
    refused(lambda: s3.put_object(Bucket=name, Key="k", Body=b""), code_of, "NoSuchBucket")
    refused(lambda: s3.create_bucket(Bucket="Not_A_Name"), code_of, "InvalidBucketName")


@case
def put_get_head():
    """boto3: put, get and head an object with its headers and metadata"""
    body = b"0123456789" * 1000
    metadata = {"source": "tape", "rows": "10"}
    headers = {"ContentType": "text/csv", "CacheControl": "no-cache", "ContentLanguage": "en"}
    put = s3.put_object(Bucket=bucket, Key="a/one.csv", Body=body, Metadata=metadata, **headers)
    expect(put["ETag"], f'"{hashlib.md5(body).hexdigest()}"')
    got = s3.get_object(Bucket=bucket, Key="a/one.csv")
    expect(got["Body"].read(), body)
    head = s3.head_object(Bucket=bucket, Key="a/one.csv")
    for answer in (got, head):
        expect({name: answer[name] for name in headers}, headers)
        expect((answer["Metadata"], answer["ContentLength"], answer["ETag"]), (metadata, len(body), put["ETag"]))
    age = datetime.datetime.now(datetime.timezone.utc) - head["LastModified"]
    expect(abs(age.total_seconds()) < 600, True, "last modified now")


@case
def missing_keys():
    """boto3: a key that is missing is NoSuchKey, for HEAD a 404, and deleted without complaint"""
    refused(lambda: body_of("missing"), code_of, "NoSuchKey")
    refused(lambda: s3.head_object(Bucket=bucket, Key="missing"), code_of, "404")
    s3.delete_object(Bucket=bucket, Key="missing")


@case
def ranges():
    """boto3: ranges from the start, in the middle, from the end, and beyond it"""
    s3.put_object(Bucket=bucket, Key="ranged", Body=b"0123456789")
    for asked, wanted, content_range in (
        ("bytes=0-3", b"0123", "bytes 0-3/10"),
        ("bytes=4-", b"456789", "bytes 4-9/10"),
        ("bytes=-3", b"789", "bytes 7-9/10"),
        ("bytes=8-99", b"89", "bytes 8-9/10"),
    ):
        got = s3.get_object(Bucket=bucket, Key="ranged", Range=asked)
        expect((got["Body"].read(), got["ContentRange"]), (wanted, content_range), asked)
        expect(got["ResponseMetadata"]["HTTPStatusCode"], 206)
    refused(lambda: body_of("ranged", Range="bytes=10-"), code_of, "InvalidRange")


@case
def conditional_writes():
    """boto3: If-None-Match and If-Match on put"""
    put = lambda **settings: s3.put_object(Bucket=bucket, Key="claim", Body=b"x", **settings)
    first = put(IfNoneMatch="*")
    refused(lambda: put(IfNoneMatch="*"), code_of, "PreconditionFailed")
    refused(lambda: put(IfMatch='"0123"'), code_of, "PreconditionFailed")
    put(IfMatch=first["ETag"])
    missing = lambda: s3.put_object(Bucket=bucket, Key="no-claim", Body=b"x", IfMatch=first["ETag"])
    refused(missing, code_of, "NoSuchKey")


@case
def conditional_reads():
    """boto3: If-Match, If-None-Match and the dates on get and head"""
    etag = s3.put_object(Bucket=bucket, Key="read", Body=b"x")["ETag"]
    expect(body_of("read", IfMatch=etag), b"x")
    refused(lambda: body_of("read", IfMatch='"0"'), code_of, "PreconditionFailed")
    refused(lambda: body_of("read", IfNoneMatch=etag), code_of, "304")
    refused(lambda: s3.head_object(Bucket=bucket, Key="read", IfNoneMatch=etag), code_of, "304")
    expect(body_of("read", IfNoneMatch='"0"'), b"x")
    past = datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone.utc)
    expect(body_of("read", IfModifiedSince=past), b"x")
    refused(lambda: body_of("read", IfUnmodifiedSince=past), code_of, "PreconditionFailed")


@case
def odd_keys():
    """boto3: odd keys stay what they are, in lists too"""
    name = create_bucket()
    keys = ["A", "a", "a b", "a+b", "a%20b", "ä/é/日本.txt", "x=1/y=a:b", "q?r#s", "&<>'\"", "dot./..x", "tab\there", "~t*(u)!"]
    for key in keys:
        s3.put_object(Bucket=name, Key=key, Body=key.encode())
    for key in keys:
        expect(s3.get_object(Bucket=name, Key=key)["Body"].read(), key.encode(), key)
    listed = [entry["Key"] for entry in s3.list_objects_v2(Bucket=name)["Contents"]]
    expect(listed, sorted(keys, key=lambda key: key.encode()))


@case
def lists():
    """boto3: the paginator walks 25 keys by pages of 10, and common prefixes"""
    name = create_bucket()
    keys = [f"day={day}/part-{part}.parquet" for day in range(5) for part in range(5)]
    for key in keys:
        s3.put_object(Bucket=name, Key=key, Body=b"1")
    for operation in ("list_objects_v2", "list_objects"):
        pages = list(s3.get_paginator(operation).paginate(Bucket=name, PaginationConfig={"PageSize": 10}))
        expect([len(page["Contents"]) for page in pages], [10, 10, 5], operation)
        expect([entry["Key"] for page in pages for entry in page["Contents"]], keys, operation)
        walk = s3.get_paginator(operation).paginate(Bucket=name, Delimiter="/", PaginationConfig={"PageSize": 2})
        prefixes = [entry["Prefix"] for page in walk for entry in page.get("CommonPrefixes", [])]
        expect(prefixes, [f"day={day}/" for day in range(5)], operation)
    after = s3.list_objects_v2(Bucket=name, StartAfter=keys[21], Prefix="day=4/")
    expect([entry["Key"] for entry in after["Contents"]], keys[22:], "start after")
    expect("Contents" in s3.list_objects_v2(Bucket=name, Prefix="nothing"), False)
    expect(s3.list_objects_v2(Bucket=name, MaxKeys=0)["KeyCount"], 0, "no keys asked for")


@case
def copies():
    """boto3: copy with its metadata, with new ones, on a condition, and onto itself"""
    etag = s3.put_object(Bucket=bucket, Key="from", Body=b"copied", Metadata={"kept": "yes"})["ETag"]
    source = {"Bucket": bucket, "Key": "from"}
    copied = s3.copy_object(Bucket=bucket, Key="to", CopySource=source)
    expect(copied["CopyObjectResult"]["ETag"], etag)
    expect((body_of("to"), s3.head_object(Bucket=bucket, Key="to")["Metadata"]), (b"copied", {"kept": "yes"}))
    s3.copy_object(Bucket=bucket, Key="to", CopySource=source, Metadata={"new": "1"}, MetadataDirective="REPLACE")
    expect(s3.head_object(Bucket=bucket, Key="to")["Metadata"], {"new": "1"})
    copy = lambda **settings: s3.copy_object(**{"Bucket": bucket, "Key": "to", "CopySource": source, **settings})
    refused(lambda: copy(CopySourceIfMatch='"0"'), code_of, "PreconditionFailed")
    refused(lambda: copy(CopySource={"Bucket": bucket, "Key": "missing"}), code_of, "NoSuchKey")
    refused(lambda: copy(Key="from"), code_of, "InvalidRequest")


@case
def deletes():
    """boto3: delete 1,000 objects in one request, quietly or not, also missing ones"""
    name = create_bucket()
    for number in range(20):
        s3.put_object(Bucket=name, Key=f"k{number:03}", Body=b"")
    wanted = [{"Key": f"k{number:03}"} for number in range(1000)]
    deleted = s3.delete_objects(Bucket=name, Delete={"Objects": wanted})
    expect((len(deleted["Deleted"]), "Errors" in deleted), (1000, False))
    expect(s3.list_objects_v2(Bucket=name)["KeyCount"], 0, "keys left")
    quiet = s3.delete_objects(Bucket=name, Delete={"Objects": wanted[:3], "Quiet": True})
    expect("Deleted" in quiet, False)
    many = {"Objects": [{"Key": f"k{number}"} for number in range(1001)]}
    refused(lambda: s3.delete_objects(Bucket=name, Delete=many), code_of, "MalformedXML")
