"""The servers that tests/e2e/tools/story_model.py plays with: one of ours, two processes of ours on
one database and one store, and one that is not ours.  Each says what it holds."""

import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import time
import urllib.request

SRC = os.environ.get("CT_SRC", os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../.."))
TOOLS = os.path.join(SRC, "tests/e2e/tools")

ROWS = """SELECT v.version, v.checksum, v.device_id, v.state = 'confirmed' AND (v.is_head = 1 OR
 v.pinned = 1 OR v.version = s.current_version), v.state = 'trash' AND coalesce(v.why, 'deleted') =
 'deleted' FROM versions v JOIN sessions s ON s.user_id = v.user_id AND s.session_id = v.session_id
 WHERE v.state = 'confirmed' OR (v.state = 'trash' AND v.confirmed_ms > 0)"""


class Wrong(Exception):
    pass


class Unable(Exception):
    """It can't run here."""


class Process:
    """One server process: its address is ${api}, and stays the same."""

    def __init__(self, top, name, program, env):
        self.top, self.name, self.program, self.env = top, name, program, env
        self.data, self.ports, self.process = os.path.join(top, name), ["0", "0"], None

    def start(self):
        # Somebody else may have the port for a moment.
        for left in range(20, -1, -1):
            try:
                self.launch()
                return
            except Wrong:
                if left == 0 or self.ports[0] == "0":
                    raise
                time.sleep(0.5)

    def launch(self):
        ready = os.path.join(self.top, self.name + ".ready")
        if os.path.exists(ready):
            os.unlink(ready)
        with open(os.path.join(self.top, self.name + ".log"), "ab") as log:
            self.process = subprocess.Popen(
                self.program + ["--data", self.data, "--listen", "127.0.0.1:" + self.ports[0],
                                "--objects", "127.0.0.1:" + self.ports[1], "--ready-file", ready],
                stdout=log, stderr=log, env=self.env)
        for _ in range(1200):
            if os.path.exists(ready) and os.path.getsize(ready) > 0:
                break
            if self.process.poll() is not None:
                raise Wrong("the server ended: see %s.log" % self.name)
            time.sleep(0.05)
        else:
            raise Wrong("the server is not ready after a minute")
        with open(ready, encoding="utf-8") as f:
            said = dict(line.strip().split("=", 1) for line in f if "=" in line)
        self.api, self.ca = said["api"], said.get("ca")
        port = re.compile(r":(\d+)(/|$)")
        self.ports = [port.search(said["api"]).group(1),
                      port.search(said.get("objects_listen", said.get("objects", "")) + "/")]
        self.ports[1] = self.ports[1].group(1) if self.ports[1] else "0"

    def stop(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        self.process.wait()


class Own:
    """codeteleport-server: SQLite, objects in its folder."""

    has_heads = True
    can_be_put_back = True

    def __init__(self, top):
        self.top, self.backup = top, os.path.join(top, "backup-server")
        self.processes = self.make()
        for p in self.processes:
            self.start(p)

    def make(self):
        return [Process(self.top, "server", ["codeteleport-server"], dict(os.environ))]

    def start(self, p):
        p.start()
        if p.ca:
            os.environ["CODETELEPORT_CA_FILE"] = p.ca

    def api(self, i):
        return self.processes[i % len(self.processes)].api

    def restart(self, i):
        p = self.processes[i % len(self.processes)]
        p.stop(signal.SIGKILL)
        p.start()

    def has_backup(self):
        return os.path.exists(self.backup)

    def down(self):
        for p in self.processes:
            p.stop()

    def up(self):
        for p in self.processes:
            p.start()

    def back_up(self):
        self.down()
        shutil.rmtree(self.backup, ignore_errors=True)
        shutil.copytree(self.processes[0].data, self.backup)
        self.up()

    def put_back(self, with_objects):
        """The last backup: its database, and its objects too or those of now."""
        data = self.processes[0].data
        self.down()
        objects = os.path.join(data, "objects")
        if not with_objects and os.path.isdir(objects):
            shutil.rmtree(os.path.join(self.backup, "objects"), ignore_errors=True)
            shutil.copytree(objects, os.path.join(self.backup, "objects"))
        shutil.rmtree(data)
        shutil.copytree(self.backup, data)
        self.up()

    def query(self, sql):
        db = sqlite3.connect("file:%s/server.db?mode=ro" % self.processes[0].data, uri=True)
        rows = db.execute(sql).fetchall()
        db.close()
        return rows

    def rows(self):
        """[(version, checksum, device, is_offered, is_deleted)]"""
        return self.query(ROWS)

    def devices(self):
        return {r[0] for r in self.query("SELECT id FROM devices")}

    def end(self):
        for p in self.processes:
            p.stop(signal.SIGKILL)


class Two(Own):
    """Two processes, on one libSQL server and one S3 (tests/e2e/tools/sqld.sh, r2sim.sh)."""

    def make(self):
        self.places = [os.path.join(self.top, "sqld"), os.path.join(self.top, "s3")]
        env = {}
        for tool, place in zip(("sqld.sh", "r2sim.sh"), self.places):
            env.update(self.place(tool, "start", place))
        self.url, self.token = env["CT_LIBSQL_URL"], env["CT_LIBSQL_TOKEN"]
        conf = os.path.join(self.top, "server.conf")
        with open(os.open(conf, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="utf-8") as f:
            f.write('storage = "s3"; s3_endpoint = "%s"; s3_region = "%s"; s3_bucket = "%s";'
                    ' s3_key_id = "%s"; s3_secret = "%s"; allow_plain_http = true; tls = "off";'
                    ' database = "%s"; database_token = "%s";\n' %
                    tuple([env[n] for n in ("S3_ENDPOINT", "S3_REGION", "S3_BUCKET", "S3_KEY_ID",
                                            "S3_SECRET")] + [self.url, self.token]))
        return [Process(self.top, name, ["codeteleport-server", "--config", conf], dict(os.environ))
                for name in ("server", "server2")]

    def place(self, tool, verb, place):
        p = subprocess.run([os.path.join(TOOLS, tool), verb, place], stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, check=False)
        if p.returncode == 77:
            raise Unable(p.stdout.decode().strip().split("\n")[-1])
        if p.returncode != 0:
            raise Wrong("%s %s: %s" % (tool, verb, p.stdout.decode()))
        if verb == "stop":
            return {}
        with open(os.path.join(place, "env"), encoding="utf-8") as f:
            return dict(line.strip().split("=", 1) for line in f if "=" in line)

    def start(self, p):
        if p.name != "server": # a log-in at one counts at all
            os.mkdir(p.data, 0o700)
            shutil.copy(os.path.join(self.processes[0].data, "jwt.key"), p.data)
        p.start()

    def back_up(self):
        self.down()
        self.place("sqld.sh", "stop", self.places[0])
        shutil.rmtree(self.backup, ignore_errors=True)
        shutil.copytree(os.path.join(self.places[0], "data"), self.backup)
        self.place("sqld.sh", "start", self.places[0])
        self.up()

    def put_back(self, with_objects):
        self.down()
        self.place("sqld.sh", "stop", self.places[0])
        shutil.rmtree(os.path.join(self.places[0], "data"))
        shutil.copytree(self.backup, os.path.join(self.places[0], "data"))
        self.place("sqld.sh", "start", self.places[0])
        self.up()

    def query(self, sql):
        body = {"requests": [{"type": "execute", "stmt": {"sql": sql}}, {"type": "close"}]}
        request = urllib.request.Request(
            self.url + "/v2/pipeline", data=json.dumps(body).encode(),
            headers={"Authorization": "Bearer " + self.token, "Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            result = json.load(answer)["results"][0]["response"]["result"]
        read = {"integer": int, "null": lambda _: None}
        return [tuple(read.get(c["type"], str)(c.get("value")) for c in row)
                for row in result["rows"]]

    def end(self):
        super().end()
        for tool, place in zip(("sqld.sh", "r2sim.sh"), self.places):
            self.place(tool, "stop", place)


class Stock(Own):
    """The wire API without our additions, and two versions of each session."""

    has_heads = False
    can_be_put_back = False

    def make(self):
        return [Process(self.top, "server", ["python3", os.path.join(TOOLS, "stock_server.py")],
                        dict(os.environ))]

    def rows(self):
        with open(os.path.join(self.processes[0].data, "state.json"), encoding="utf-8") as f:
            sessions = [s["versions"] for by_id in json.load(f)["sessions"].values()
                        for s in by_id.values()]
        return [(v["version"], v["checksum"], None, v is versions[-1], False)
                for versions in sessions for v in versions]

    def devices(self):
        return set()


KINDS = {"own": Own, "two": Two, "stock": Stock}
