#!/usr/bin/env python3
"""An object store in memory that calls itself compatible, for what no S3 server shows that runs here:

    odd_s3.py refusing|telling|careless SECRET

prints its port and serves on loopback until it is killed.  Its ETags look like an MD5 and are none.
"refusing" takes no x-amz-checksum-* header, and its sentence quotes all that it knows; "telling" says
the SHA-256 of an object if it is asked; "careless" does not look at digests.  Signatures are not
checked.
"""
import base64
import hashlib
import http.server
import os
import sys
import urllib.parse

MODE, SECRET = sys.argv[1], sys.argv[2]
objects = {}


class Store(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, body=b"", headers=()):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def refuse(self, status, code, message):
        self.answer(status, f"<Error><Code>{code}</Code><Message>{message}</Message></Error>".encode(),
                    [("Content-Type", "application/xml")])

    def is_refused(self):
        odd = [n for n in self.headers if n.lower().startswith("x-amz-checksum-")]
        if MODE == "refusing" and odd:
            signed = self.headers["Authorization"] or self.path
            self.refuse(400, "InvalidArgument", f"{odd[0]} is not supported here; I know {SECRET} and "
                        f"{signed.rsplit('ignature=', 1)[1]}".replace("&", "&amp;"))
            return True
        return False

    def key(self):
        return urllib.parse.urlsplit(self.path).path

    def do_PUT(self):
        data = self.rfile.read(int(self.headers["Content-Length"]))
        md5, sha256 = self.headers["Content-MD5"], self.headers["x-amz-checksum-sha256"]
        if self.is_refused():
            return
        if MODE != "careless" and (
                (md5 and md5 != base64.b64encode(hashlib.md5(data).digest()).decode()) or
                (sha256 and sha256 != base64.b64encode(hashlib.sha256(data).digest()).decode())):
            self.refuse(400, "BadDigest", "The digest is another one.")
            return
        objects[self.key()] = data
        self.answer(200, headers=[("ETag", f'"{os.urandom(16).hex()}"')])

    def do_HEAD(self):
        data = objects.get(self.key())
        if self.is_refused():
            return
        if data is None:
            self.answer(404)
            return
        headers = [("ETag", f'"{os.urandom(16).hex()}"')]
        if MODE == "telling" and self.headers["x-amz-checksum-mode"] == "ENABLED":
            headers.append(("x-amz-checksum-sha256", base64.b64encode(hashlib.sha256(data).digest()).decode()))
        self.send_response(200)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()

    def do_GET(self):
        if "list-type=2" in self.path:
            rows = "".join(f"<Contents><Key>{k.split('/', 2)[2]}</Key><Size>{len(v)}</Size><LastModified>"
                           "2026-01-01T00:00:00.000Z</LastModified></Contents>" for k, v in objects.items())
            self.answer(200, f"<R>{rows}<IsTruncated>false</IsTruncated></R>".encode())
        elif self.key() in objects:
            self.answer(200, objects[self.key()])
        else:
            self.refuse(404, "NoSuchKey", "There is none.")

    def do_DELETE(self):
        objects.pop(self.key(), None)
        self.answer(204)


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Store)
print(server.server_port, flush=True)
server.serve_forever()
