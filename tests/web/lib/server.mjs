// The example server on a data folder of its own.

import { execFile, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { request } from "node:http";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const PROGRAM = process.env.KEYPLATE_SERVER;
const PATIENCE = 60_000;

export class Server {
  /**
   * Starts one. `host` is the name in the address that people type, and `at` their whole address where a proxy stands in
   * front; `options` are further ones of the command line.
   */
  static async start({ host = "localhost", options = [], at = null } = {}) {
    const server = new Server();
    server.data = await mkdtemp(join(tmpdir(), "keyplate-web-"));
    server.host = host;
    server.at = at;
    server.options = options;
    // Between looking for a free port and taking it, somebody else may be quicker.
    for (let tries = 0; ; tries += 1) {
      try {
        await server.launch(await freePort());
        return server;
      } catch (error) {
        if (tries === 3) throw error;
      }
    }
  }

  async launch(port) {
    this.port = port;
    this.origin = this.at ?? `http://${this.host}:${port}`;
    this.log = "";
    const line = ["--data", this.data, "--origin", this.origin, "--listen", `127.0.0.1:${port}`, ...this.options];
    this.process = spawn(PROGRAM, line, { stdio: ["ignore", "pipe", "pipe"] });
    this.process.stderr.on("data", (chunk) => {
      this.log += chunk;
    });
    this.link = await this.begun();
  }

  /** Waits until it listens, and gives the set-up link where it prints one. */
  begun() {
    return new Promise((resolve, reject) => {
      let text = "";
      const timer = setTimeout(() => reject(new Error("the server does not start")), PATIENCE);
      const done = () => {
        clearTimeout(timer);
        resolve(text.match(/setup link: (\S+)/)?.[1] ?? null);
      };
      this.process.on("exit", () => reject(new Error(`the server ended: ${this.log}`)));
      this.process.stdout.on("data", (chunk) => {
        text += chunk;
        // It writes all of it at once.
        if (/address: \S+\n/.test(text)) done();
      });
    });
  }

  /** The same server anew: with a new set-up link, and other options. */
  async restart(options = this.options) {
    await this.end();
    this.options = options;
    await this.launch(this.port);
  }

  async end() {
    if (this.process.exitCode !== null) return;
    const gone = new Promise((resolve) => this.process.once("exit", resolve));
    this.process.removeAllListeners("exit");
    const ended = new Promise((resolve) => this.process.once("exit", resolve));
    this.process.kill("SIGTERM");
    await Promise.race([gone, ended]);
  }

  async stop() {
    await this.end();
    await rm(this.data, { recursive: true, force: true });
  }

  /** What is done from the command line beside it; gives what is printed. */
  async command(...line) {
    const { stdout } = await run(PROGRAM, [...line, "--data", this.data, "--origin", this.origin]);
    return stdout;
  }

  /** A code for somebody, or what follows `#` of a link. */
  async code(name, ...line) {
    return (await this.command("one-time-token", name, ...line)).match(/(?:code|token): (\S+)/)[1];
  }

  /** A request of a script: by an API key, a session's token, or as nobody. */
  ask(method, path, { key, session, body } = {}) {
    const headers = { Host: new URL(this.origin).host, "Content-Type": "application/json" };
    if (key) headers["X-API-Key"] = key;
    if (session) headers.Authorization = `Bearer ${session}`;
    return new Promise((resolve, reject) => {
      const sent = request({ host: "127.0.0.1", port: this.port, method, path, headers }, async (answer) => {
        let text = "";
        for await (const chunk of answer) text += chunk;
        resolve({ status: answer.statusCode, headers: answer.headers, body: text ? JSON.parse(text) : null });
      });
      sent.on("error", reject);
      sent.end(body === undefined ? "" : JSON.stringify(body));
    });
  }

  /** What waiting for hours would do: everybody's sign-in and last passkey were so long ago. */
  async age(hours = 2) {
    const by = hours * 3_600_000;
    const change = `UPDATE sessions SET signed_in_at = signed_in_at - ${by}, stepped_up_at = stepped_up_at - ${by}`;
    await run("sqlite3", ["-cmd", ".timeout 10000", join(this.data, "keyplate.db"), change]);
  }
}

export function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.on("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}
