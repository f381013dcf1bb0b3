"""The boto3 cases of how requests are made: multipart, checksums, presigned URLs, addressing styles, signatures."""

import base64
import hashlib
import io
import os
import socket
import urllib.error
import urllib.request
import zlib

from boto3.s3.transfer import TransferConfig
from cases import case, expect, refused
from s3_client import aws, bucket, client, code_of, create_bucket, s3

mebibyte = 1024 * 1024


@case
def transfer():
    """boto3: upload_fileobj in parallel parts, download_fileobj by ranges, and copy in parts"""
    body = os.urandom(11 * mebibyte)
    config = TransferConfig(multipart_threshold=5 * mebibyte, multipart_chunksize=5 * mebibyte, max_concurrency=3)
    s3.upload_fileobj(io.BytesIO(body), bucket, "large", Config=config, ExtraArgs={"Metadata": {"rows": "7"}})
    head = s3.head_object(Bucket=bucket, Key="large")
    expect((head["ContentLength"], head["Metadata"], head["ETag"][-3:]), (len(body), {"rows": "7"}, '-3"'))
    s3.copy({"Bucket": bucket, "Key": "large"}, bucket, "large-copy", Config=config)
    for key in ("large", "large-copy"):
        received = io.BytesIO()
        s3.download_fileobj(bucket, key, received, Config=config)
        expect(hashlib.sha256(received.getvalue()).digest(), hashlib.sha256(body).digest(), key)


@case
def multipart():
    """boto3: multipart by hand: parts and uploads are listed, nothing is visible before the end"""
    name = create_bucket()
    bodies = [b"a" * (5 * mebibyte), b"tail"]
    upload = s3.create_multipart_upload(Bucket=name, Key="parts")["UploadId"]
    target = {"Bucket": name, "Key": "parts", "UploadId": upload}
    parts = []
    for number, body in enumerate(bodies, 1):
        etag = s3.upload_part(**target, PartNumber=number, Body=body)["ETag"]
        parts.append({"PartNumber": number, "ETag": etag})
    listed = s3.list_parts(**target)["Parts"]
    expect([(part["PartNumber"], part["ETag"], part["Size"]) for part in listed],
           [(part["PartNumber"], part["ETag"], len(body)) for part, body in zip(parts, bodies)])
    expect([entry["UploadId"] for entry in s3.list_multipart_uploads(Bucket=name)["Uploads"]], [upload])
    refused(lambda: s3.get_object(Bucket=name, Key="parts"), code_of, "NoSuchKey")
    complete = lambda parts, **settings: s3.complete_multipart_upload(**target, MultipartUpload={"Parts": parts}, **settings)
    refused(lambda: complete(parts[::-1]), code_of, "InvalidPartOrder")
    refused(lambda: complete([{"PartNumber": 1, "ETag": '"0"'}]), code_of, "InvalidPart")
    digests = b"".join(hashlib.md5(body).digest() for body in bodies)
    expect(complete(parts, IfNoneMatch="*")["ETag"], f'"{hashlib.md5(digests).hexdigest()}-2"')
    expect(s3.get_object(Bucket=name, Key="parts")["Body"].read(), b"".join(bodies))
    expect(s3.get_object(Bucket=name, Key="parts", PartNumber=2)["Body"].read(), b"tail", "the second part")


@case
def multipart_refusals():
    """boto3: an aborted upload is gone, small parts are refused, a claim that is taken refuses completion"""
    name = create_bucket()
    s3.put_object(Bucket=name, Key="taken", Body=b"first")

    def upload(key, bodies):
        target = {"Bucket": name, "Key": key, "UploadId": s3.create_multipart_upload(Bucket=name, Key=key)["UploadId"]}
        etags = [s3.upload_part(**target, PartNumber=number, Body=body)["ETag"] for number, body in enumerate(bodies, 1)]
        return target, {"Parts": [{"PartNumber": number, "ETag": etag} for number, etag in enumerate(etags, 1)]}

    target, parts = upload("small", [b"too small", b"tail"])
    complete = lambda **settings: s3.complete_multipart_upload(**target, MultipartUpload=parts, **settings)
    refused(complete, code_of, "EntityTooSmall")
    s3.abort_multipart_upload(**target)
    refused(complete, code_of, "NoSuchUpload")
    refused(lambda: s3.list_parts(**target), code_of, "NoSuchUpload")
    target, parts = upload("taken", [b"second"])
    refused(lambda: complete(IfNoneMatch="*"), code_of, "PreconditionFailed")
    expect(s3.get_object(Bucket=name, Key="taken")["Body"].read(), b"first")


@case
def checksums():
    """boto3: CRC32, CRC32 over a stream, SHA-1 and SHA-256 are kept and answered, and wrong ones refused"""
    body = b"checked"
    wanted = {
        "CRC32": zlib.crc32(body).to_bytes(4, "big"),
        "SHA1": hashlib.sha1(body).digest(),
        "SHA256": hashlib.sha256(body).digest(),
    }
    for algorithm, digest in wanted.items():
        text = base64.b64encode(digest).decode()
        put = s3.put_object(Bucket=bucket, Key="sum", Body=body, ChecksumAlgorithm=algorithm)
        expect(put[f"Checksum{algorithm}"], text)
        streamed = s3.put_object(Bucket=bucket, Key="sum", Body=io.BytesIO(body), ChecksumAlgorithm=algorithm)
        expect(streamed[f"Checksum{algorithm}"], text, "of a stream")
        head = s3.head_object(Bucket=bucket, Key="sum", ChecksumMode="ENABLED")
        expect(head[f"Checksum{algorithm}"], text, "of HEAD")
        got = s3.get_object(Bucket=bucket, Key="sum", ChecksumMode="ENABLED")
        expect((got["Body"].read(), got[f"Checksum{algorithm}"]), (body, text), "of GET")
        wrong = {f"Checksum{algorithm}": base64.b64encode(bytes(len(digest))).decode()}
        refused(lambda: s3.put_object(Bucket=bucket, Key="bad", Body=body, **wrong), code_of, "BadDigest")
    other = base64.b64encode(hashlib.md5(b"other").digest()).decode()
    refused(lambda: s3.put_object(Bucket=bucket, Key="bad", Body=body, ContentMD5=other), code_of, "BadDigest")
    refused(lambda: s3.head_object(Bucket=bucket, Key="bad"), code_of, "404")


def resolve(host, *rest, _resolve=socket.getaddrinfo, **settings):
    """Names below localhost are this machine (RFC 6761), also where the system's resolver knows none of them."""
    return _resolve("127.0.0.1" if host.endswith(".localhost") else host, *rest, **settings)


socket.getaddrinfo = resolve


def request(url, method="GET", body=None):
    """A plain HTTP request: the status and the body."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data=body, method=method), timeout=20) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


@case
def presigned():
    """boto3: presigned URLs put, get and head without a client, until they are changed"""
    key = "presigned/a b+c.txt"
    # Without this boto3 presigns by signature version 2, which AWS refuses for new buckets.
    signer = client(signature_version="s3v4")
    sign = lambda method: signer.generate_presigned_url(method, Params={"Bucket": bucket, "Key": key}, ExpiresIn=60)
    expect(request(sign("put_object"), "PUT", b"by URL")[0], 200)
    expect(request(sign("get_object")), (200, b"by URL"))
    expect(request(sign("head_object"), "HEAD"), (200, b""))
    status, text = request(sign("get_object").replace("presigned/a", "presigned/b"))
    expect((status, b"SignatureDoesNotMatch" in text), (403, True))
    expect(request(sign("get_object"), "DELETE")[0], 403, "another method")


@case
def virtual_host():
    """boto3: a bucket in the host name, and the same object by path"""
    port = aws["endpoint"].rsplit(":", 1)[1]
    virtual = client(endpoint=f"http://localhost:{port}", style="virtual", signature_version="s3v4")
    hosts = []
    virtual.meta.events.register("before-send.s3", lambda request, **_: hosts.append(request.url))
    virtual.put_object(Bucket=bucket, Key="virtual/é b", Body=b"by host")
    expect(hosts[0].startswith(f"http://{bucket}.localhost:{port}/virtual/"), True, hosts[0])
    expect(s3.get_object(Bucket=bucket, Key="virtual/é b")["Body"].read(), b"by host")
    listed = virtual.list_objects_v2(Bucket=bucket, Prefix="virtual/")
    expect([entry["Key"] for entry in listed["Contents"]], ["virtual/é b"])
    url = virtual.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "virtual/é b"})
    expect(request(url), (200, b"by host"))


@case
def signatures():
    """boto3: a wrong secret and an unknown access key are refused"""
    refused(lambda: client(secret="wrong").list_buckets(), code_of, "SignatureDoesNotMatch")
    put = lambda: client(secret="wrong").put_object(Bucket=bucket, Key="never", Body=b"x")
    refused(put, code_of, "SignatureDoesNotMatch")
    refused(lambda: s3.head_object(Bucket=bucket, Key="never"), code_of, "404")
    expect(request(f"{aws['endpoint']}/{bucket}/sum")[0], 403, "without a signature")
