#!/usr/bin/env python3
"""An HTTP proxy that tunnels: connectproxy.py --ready FILE --log FILE [--user NAME:PASSWORD] MAP...

Each MAP is HOST=ADDRESS:PORT: where CONNECT HOST:any-port leads; any other host is 502.  The port
is written to the --ready file, and to the --log file a line for each CONNECT: host and status.
"""

import argparse
import base64
import os
import socket
import threading


def pump(a, b):
    try:
        while d := a.recv(65536):
            b.sendall(d)
    except OSError:
        pass
    for s in (a, b):
        try:
            s.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


class Proxy:
    def __init__(self, args):
        self.args = args
        self.places = dict(m.split("=", 1) for m in args.map)
        self.lock = threading.Lock()

    def log(self, host, status):
        with self.lock, open(self.args.log, "a", encoding="utf-8") as f:
            f.write("%s %d\n" % (host, status))

    def judge(self, head):
        lines = head.decode("latin-1").split("\r\n")
        method, target = lines[0].split(" ")[:2]
        host = target.rsplit(":", 1)[0]
        fields = {k.lower(): v.strip() for k, v in (ln.split(":", 1) for ln in lines[1:] if ":" in ln)}
        assert "authorization" not in fields, "a token reached the proxy"
        if method != "CONNECT":
            return host, 405
        if self.args.user:
            want = "Basic " + base64.b64encode(self.args.user.encode()).decode()
            if fields.get("proxy-authorization") != want:
                return host, 407
        return host, 200 if host in self.places else 502

    def serve(self, c):
        head = b""
        while b"\r\n\r\n" not in head:
            d = c.recv(65536)
            if not d:
                c.close()
                return
            head += d
        host, status = self.judge(head)
        self.log(host, status)
        if status != 200:
            more = b"Proxy-Authenticate: Basic realm=x\r\n" if status == 407 else b""
            c.sendall(b"HTTP/1.1 %d No\r\n%sContent-Length: 0\r\n\r\n" % (status, more))
            c.close()
            return
        address, port = self.places[host].rsplit(":", 1)
        up = socket.create_connection((address, int(port)))
        c.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
        threading.Thread(target=pump, args=(up, c), daemon=True).start()
        pump(c, up)

    def run(self):
        s = socket.create_server(("127.0.0.1", 0))
        with open(self.args.ready + ".new", "w", encoding="utf-8") as f:
            f.write("%d\n" % s.getsockname()[1])
        os.rename(self.args.ready + ".new", self.args.ready)
        while True:
            threading.Thread(target=self.serve, args=(s.accept()[0],), daemon=True).start()


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    p.add_argument("--ready", required=True)
    p.add_argument("--log", required=True)
    p.add_argument("--user")
    p.add_argument("map", nargs="+")
    Proxy(p.parse_args()).run()


if __name__ == "__main__":
    main()
