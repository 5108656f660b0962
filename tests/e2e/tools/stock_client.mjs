// Does what a stock CodeTeleport client does, with the same tar library, written from its behaviour.
//
//   stock_client.mjs NPM-DIR pack ROOT ID CWD HOME FILE
//   stock_client.mjs NPM-DIR unpack FILE ROOT TARGET-DIR HOME
//   stock_client.mjs NPM-DIR push ROOT ID CWD HOME API TOKEN
//   stock_client.mjs NPM-DIR pull ID ROOT TARGET-DIR HOME API TOKEN
import crypto from "node:crypto";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { createRequire } from "node:module";

const [npm, verb, ...rest] = process.argv.slice(2);
const tar = createRequire(path.join(npm, "package.json"))("tar");

// Not the name that Claude Code gives it, where the path has other characters.
function folder(cwd) {
  return cwd.split("/").join("-");
}

function copy(from, to) {
  if (fs.existsSync(from)) fs.cpSync(from, to, { recursive: true });
}

async function pack(root, id, cwd, home, file) {
  const stage = fs.mkdtempSync(path.join(os.tmpdir(), "stock-"));
  const projects = path.join(root, "projects");
  const named = fs.readdirSync(projects).find((d) => fs.existsSync(path.join(projects, d, `${id}.jsonl`)));
  const project = path.join(projects, named);
  const to = (name) => path.join(stage, name);
  const text = fs.readFileSync(path.join(project, `${id}.jsonl`), "utf8");
  const meta = { sessionId: id, sourceCwd: cwd, sourceUserDir: home, agentId: "claude-code", formatVersion: 2 };
  fs.writeFileSync(to("meta.json"), JSON.stringify(meta, null, 2));
  fs.writeFileSync(to("session.jsonl"), text);
  copy(path.join(project, id), to("session-subdir"));
  copy(path.join(root, "file-history", id), to("file-history"));
  copy(path.join(root, "session-env", id), to("session-env"));
  copy(path.join(project, "memory"), to("memory"));
  copy(path.join(root, "paste-cache"), to("paste-cache"));
  copy(path.join(root, "shell-snapshots"), to("shell-snapshots"));
  const extra = path.join(cwd, "notes.txt");
  if (fs.existsSync(extra)) {
    const stored = crypto.createHash("sha1").update(extra).digest("hex");
    fs.mkdirSync(to("extra-files"));
    fs.copyFileSync(extra, to(`extra-files/${stored}`));
    fs.writeFileSync(to("extra-files-manifest.json"), JSON.stringify(
      [{ stored, originalPath: extra, sizeBytes: fs.statSync(extra).size, rewriteContent: false }], null, 2));
  }
  // In the order of their names: meta.json is not the first.
  await tar.create({ gzip: true, file, cwd: stage }, fs.readdirSync(stage).sort());
  fs.rmSync(stage, { recursive: true });
}

async function unpack(file, root, target, home) {
  const stage = fs.mkdtempSync(path.join(os.tmpdir(), "stock-"));
  await tar.extract({ file, cwd: stage });
  const from = (name) => path.join(stage, name);
  const { sessionId: id, sourceCwd, sourceUserDir } = JSON.parse(fs.readFileSync(from("meta.json"), "utf8"));
  const cwd = sourceCwd.replace(sourceUserDir, home);
  const move = (text) => text.split(sourceUserDir).join(home).split(cwd).join(target);
  const project = path.join(root, "projects", folder(target));
  fs.mkdirSync(project, { recursive: true });
  fs.writeFileSync(path.join(project, `${id}.jsonl`), move(fs.readFileSync(from("session.jsonl"), "utf8")));
  copy(from("session-subdir"), path.join(project, id));
  copy(from("file-history"), path.join(root, "file-history", id));
  copy(from("paste-cache"), path.join(root, "paste-cache"));
  fs.rmSync(stage, { recursive: true });
  console.log(id);
}

async function call(api, token, method, where, body) {
  const answer = await fetch(api + where, {
    method,
    headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json", "X-Client-Version": "0.7.0" },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const said = await answer.json();
  if (!answer.ok) throw new Error(said.message);
  return said;
}

async function push(root, id, cwd, home, api, token) {
  const file = path.join(fs.mkdtempSync(path.join(os.tmpdir(), "stock-")), "b.tar.gz");
  await pack(root, id, cwd, home, file);
  const bytes = fs.readFileSync(file);
  const { uploadUrl } = await call(api, token, "POST", "/sessions/upload", {
    sessionId: id, sourceMachine: "stock", sourceCwd: cwd, sourceUserDir: home, sizeBytes: bytes.length,
    checksum: `sha256:${crypto.createHash("sha256").update(bytes).digest("hex")}`,
    metadata: { agentId: "claude-code", messageCount: 2, projectName: path.basename(cwd) },
  });
  const put = await fetch(uploadUrl, { method: "PUT", headers: { "Content-Type": "application/gzip" }, body: bytes });
  if (!put.ok) throw new Error(`PUT: ${put.status}`);
  await call(api, token, "POST", `/sessions/${id}/confirm`);
  fs.rmSync(path.dirname(file), { recursive: true });
}

async function pull(id, root, target, home, api, token) {
  const file = path.join(fs.mkdtempSync(path.join(os.tmpdir(), "stock-")), "b.tar.gz");
  const { downloadUrl } = await call(api, token, "GET", `/sessions/${id}/download`);
  const got = await fetch(downloadUrl);
  if (!got.ok) throw new Error(`GET: ${got.status}`);
  fs.writeFileSync(file, Buffer.from(await got.arrayBuffer()));
  await unpack(file, root, target, home);
  fs.rmSync(path.dirname(file), { recursive: true });
}

await { pack, unpack, push, pull }[verb](...rest);
