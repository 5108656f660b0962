#!/usr/bin/env python3
"""Presign a URL, from Amazon's description and nothing of ours: the other opinion in the tests.

usage: sigv4_oracle.py --id ID --secret SECRET METHOD BASE PATH [NAME=VALUE...] [?NAME=VALUE...]
       [--at EPOCH] [--expires S] [--region R] [--service S] [--date YYYYMMDD]
       [--count N]: N URLs, with 1, 2... for each %d of the path
"""
import argparse
import hashlib
import hmac
import time
from urllib.parse import quote


def mac(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--id", required=True)
    p.add_argument("--secret", required=True)
    p.add_argument("--at", type=float, default=time.time())
    p.add_argument("--expires", default="300")
    p.add_argument("--region", default="auto")
    p.add_argument("--service", default="s3")
    p.add_argument("--date")
    p.add_argument("method")
    p.add_argument("base")
    p.add_argument("path")
    p.add_argument("headers", nargs="*")
    p.add_argument("--count", type=int)
    a = p.parse_args()
    for i in range(1, (a.count or 1) + 1):
        print(presign(a, a.path.replace("%d", str(i)) if a.count else a.path))


def presign(a, path):
    when = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(a.at))
    day = a.date or when[:8]
    origin, _, below = a.base.split("://")[1].partition("/")
    headers = {"host": origin}
    base = a.base[: -len(below) - 1] if below else a.base
    if below:
        path = f"/{below}{path}"
    more = dict(h[1:].split("=", 1) for h in a.headers if h.startswith("?"))
    for h in a.headers:
        name, value = h.split("=", 1)
        if not name.startswith("?"):
            headers[name.lower()] = value.strip()
    names = ";".join(sorted(headers))
    scope = f"{day}/{a.region}/{a.service}/aws4_request"
    query = {
        "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
        "X-Amz-Credential": f"{a.id}/{scope}",
        "X-Amz-Date": when,
        "X-Amz-Expires": a.expires,
        "X-Amz-SignedHeaders": names,
        **more,
    }
    canonical_query = "&".join(
        f"{quote(k, safe='-_.~')}={quote(v, safe='-_.~')}" for k, v in sorted(query.items()))
    path = quote(path, safe="/-_.~")
    lines = "".join(f"{n}:{headers[n]}\n" for n in sorted(headers))
    request = f"{a.method}\n{path}\n{canonical_query}\n{lines}\n{names}\nUNSIGNED-PAYLOAD"
    to_sign = "\n".join(
        ["AWS4-HMAC-SHA256", when, scope, hashlib.sha256(request.encode()).hexdigest()])
    key = ("AWS4" + a.secret).encode()
    for part in (day, a.region, a.service, "aws4_request"):
        key = mac(key, part)
    signature = hmac.new(key, to_sign.encode(), hashlib.sha256).hexdigest()
    return f"{base}{path}?{canonical_query}&X-Amz-Signature={signature}"


main()
