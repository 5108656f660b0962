// The official client of the Model Context Protocol talks to ctctl mcp.  Arguments: the folder that
// holds node_modules, the session to save, then the command.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import assert from "node:assert/strict";

const [folder, session, command, ...args] = process.argv.slice(2);
const require = createRequire(folder + "/");
const load = (name) => import(pathToFileURL(require.resolve("@modelcontextprotocol/sdk/" + name)).href);
const { Client } = await load("client/index.js");
const { StdioClientTransport } = await load("client/stdio.js");

const client = new Client({ name: "test", version: "1.0.0" });
await client.connect(new StdioClientTransport({ command, args, env: process.env }));
assert.equal(client.getServerVersion().name, "codeteleport");
assert.ok(client.getServerCapabilities().tools);
assert.ok(client.getInstructions().length > 0);

const { tools } = await client.listTools();
const names = tools.map((t) => t.name).sort();
console.log("tools", names.join(" "));
for (const t of ["teleport_push", "teleport_pull", "teleport_list", "teleport_local_list", "teleport_versions",
    "teleport_status"])
    assert.ok(names.includes(t), t);
assert.ok(!names.includes("teleport_delete"));

const text = async (name, args = {}) => {
    const r = await client.callTool({ name, arguments: args });
    assert.equal(r.content[0].type, "text");
    return { error: r.isError, text: r.content[0].text };
};
let r = await text("teleport_push", { sessionId: session });
assert.equal(r.error, false, r.text);
assert.ok(r.text.includes(session));
r = await text("teleport_list", { limit: 10 });
assert.ok(r.text.includes(session.slice(0, 8)));
r = await text("teleport_versions", { sessionId: session.slice(0, 8) });
assert.equal(r.error, false, r.text);
r = await text("teleport_status");
assert.equal(r.error, false, r.text);
r = await text("teleport_pull", { sessionId: session, targetDir: process.cwd() });
assert.equal(r.error, false, r.text);
assert.ok(r.text.includes("claude --resume"));
r = await text("teleport_versions");
assert.equal(r.error, true);
await assert.rejects(client.callTool({ name: "teleport_delete", arguments: { sessionId: session } }));
await client.ping();
await client.close();
console.log("done");
