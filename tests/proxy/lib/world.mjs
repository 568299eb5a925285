// The server, a proxy with the files that docs/proxy.md prints, and two services behind it.

import { execFile, spawn } from "node:child_process";
import { mkdtemp, mkdir, rm, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { connect } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { forBooks, printed } from "./document.mjs";
import { Service } from "./service.mjs";
import { Visitor } from "./visitor.mjs";

const run = promisify(execFile);
const WORK = process.env.KEYPLATE_WORK;
const PATIENCE = 30_000;
const IDENTITY = "https://id.example";

/** Who there is. Ann administers; Bob is a friend; Eve is none; Dan is one whom the tests disable. */
const PLAN = `
[settings]
signup_mode = "open"
signup_approval = true

[[groups]]
name = "friends"

[[services]]
slug = "films"
name = "Films"
origins = ["https://films.example"]
groups = ["friends"]

[[services]]
slug = "books"
name = "Books"
origins = ["https://books.example"]
for_everyone = true
wants_token = true

[[users]]
username = "ann"
role = "administrator"
groups = ["friends"]

[[users]]
username = "bob"
display_name = "Bob Łoś"
email = "bob@post.example"
groups = ["friends"]

[[users]]
username = "dan"
groups = ["friends"]

[[users]]
username = "eve"

[[api_keys]]
owner = "ann"
name = "tests"
scopes = ["*"]
generate = true

[[api_keys]]
owner = "ann"
name = "films"
scopes = ["films:view"]
generate = true

[[api_keys]]
owner = "ann"
name = "films and more"
scopes = ["films:view", "users:read"]
generate = true
`;

export class World {
  identity = IDENTITY;
  films = "https://films.example";
  books = "https://books.example";
  started = [];

  static async start(proxy, { plan = PLAN, more = "" } = {}) {
    const world = new World();
    world.proxy = proxy;
    world.more = more;
    world.folder = await mkdtemp(join(WORK, `${proxy}-`));
    const services = [Service.start("films", 8096), Service.start("books", 8097)];
    [world.filmsService, world.booksService] = await Promise.all(services);
    await world.startServer(plan);
    await { nginx: startNginx, caddy: startCaddy }[proxy](world);
    return world;
  }

  async startServer(plan) {
    const file = join(this.folder, "plan.toml");
    await writeFile(file, plan, { mode: 0o600 });
    this.data = join(this.folder, "data");
    this.line = ["--data", this.data, "--origin", IDENTITY];
    const { stdout } = await run(process.env.KEYPLATE_SERVER, ["bootstrap", "--file", file, ...this.line]);
    [this.key, this.filmsKey, this.wideKey] = stdout.match(/kp_key_\S+/g);
    await this.launch();
  }

  async launch() {
    this.server = this.program(process.env.KEYPLATE_SERVER, [...this.line, "--trusted-proxy", "127.0.0.1"]);
    await listening(1411);
  }

  /** The server is gone, as in a crash. */
  async kill() {
    const gone = new Promise((resolve) => this.server.once("exit", resolve));
    this.server.kill("SIGKILL");
    return gone;
  }

  program(name, line) {
    const program = spawn(name, line, { stdio: ["ignore", "pipe", "pipe"] });
    program.log = "";
    for (const stream of [program.stdout, program.stderr]) {
      stream.on("data", (text) => {
        program.log += text;
      });
    }
    this.started.push(program);
    return program;
  }

  visitor() {
    return new Visitor(this);
  }

  async code(name, ...line) {
    const { stdout } = await run(process.env.KEYPLATE_SERVER, ["one-time-token", name, ...line, ...this.line]);
    return stdout.match(/(?:code|token): (\S+)/)[1];
  }

  /** What an administrator's script does; gives the answer's body. */
  async administrate(method, path, body) {
    const answer = await this.direct(method, path, { headers: { "X-API-Key": this.key }, body });
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`);
    return answer.text ? JSON.parse(answer.text) : null;
  }

  /** Past the proxy, to the server's own port; `from` is an address of this machine. */
  direct(method, path, { headers = {}, body, from } = {}) {
    const sent = { Host: "id.example", "Content-Type": "application/json", ...headers };
    const options = { host: "127.0.0.1", port: 1411, method, path, headers: sent, localAddress: from, agent: false };
    return new Promise((resolve, reject) => {
      const asked = request(options, async (answer) => {
        const parts = [];
        for await (const part of answer) parts.push(part);
        resolve({ status: answer.statusCode, headers: answer.headers, text: Buffer.concat(parts).toString() });
      });
      asked.on("error", reject);
      asked.end(body === undefined ? "" : JSON.stringify(body));
    });
  }

  /** A user, a group or a service by what it is called. */
  async find(kind, name) {
    const { data } = await this.administrate("GET", `/api/${kind}?limit=100`);
    return data.find((it) => [it.username, it.name, it.slug].includes(name));
  }

  async setAccess(slug, access) {
    const { id } = await this.find("services", slug);
    await this.administrate("PUT", `/api/services/${id}/access`, access);
  }

  async setGroups(username, names) {
    const { id } = await this.find("users", username);
    const groups = await Promise.all(names.map((name) => this.find("user-groups", name)));
    await this.administrate("PUT", `/api/users/${id}/user-groups`, { userGroupIds: groups.map((group) => group.id) });
  }

  async disable(username, disabled) {
    const user = await this.find("users", username);
    await this.administrate("PUT", `/api/users/${user.id}`, { ...user, disabled });
  }

  /** Changes the file itself, as time would. */
  async sql(text) {
    await run("sqlite3", ["-cmd", ".timeout 10000", join(this.data, "keyplate.db"), text]);
  }

  async command(...line) {
    return (await run(process.env.KEYPLATE_SERVER, [...line, ...this.line])).stdout;
  }

  async stop() {
    await Promise.all(this.started.map(ended));
    await Promise.all([this.filmsService.stop(), this.booksService.stop()]);
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** Its own children are gone too, which a kill would leave behind. */
async function ended(program) {
  if (program.exitCode !== null || program.signalCode !== null) return;
  const gone = new Promise((resolve) => program.once("exit", resolve));
  program.kill("SIGTERM");
  await gone;
}

async function startNginx(world) {
  await mkdir("/etc/nginx/conf.d", { recursive: true });
  await mkdir("/etc/nginx/tls", { recursive: true });
  for (const host of ["id.example", "films.example", "books.example"]) await certify(host);
  await writeFile("/etc/nginx/conf.d/keyplate.conf", printed("/etc/nginx/conf.d/keyplate.conf"));
  const films = printed("/etc/nginx/conf.d/films.conf");
  await writeFile("/etc/nginx/conf.d/films.conf", films);
  await writeFile("/etc/nginx/conf.d/books.conf", forBooks(films));
  const paths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
  const temporary = paths.map((name) => `${name}_temp_path ${world.folder}/${name};`).join("\n");
  const frame = `
user root;
daemon off;
pid ${world.folder}/nginx.pid;
error_log ${world.folder}/error.log;
events {}
http {
    access_log off;
    ${temporary}
    include /etc/nginx/conf.d/*.conf;
    ${world.more}
}
`;
  await writeFile("/etc/nginx/nginx.conf", frame);
  const log = ["-e", `${world.folder}/error.log`];
  await run("nginx", [...log, "-t"]);
  world.front = world.program("nginx", log);
  await listening(443);
}

async function certify(host) {
  const files = ["-keyout", `/etc/nginx/tls/${host}.key`, "-out", `/etc/nginx/tls/${host}.pem`];
  const names = ["-subj", `/CN=${host}`, "-addext", `subjectAltName=DNS:${host}`];
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  await run("openssl", ["req", "-x509", ...key, ...files, ...names]);
}

async function startCaddy(world) {
  const file = printed("/etc/caddy/Caddyfile");
  const films = file.slice(file.indexOf("\nfilms.example {"));
  await writeFile("/etc/caddy/Caddyfile", file);
  await writeFile("/etc/caddy/books", forBooks(films));
  // Its own authority in place of one of the world outside.
  const frame = `
{
    local_certs
    skip_install_trust
    admin off
    storage file_system ${world.folder}/caddy
}
import /etc/caddy/Caddyfile
import /etc/caddy/books
`;
  const whole = join(world.folder, "Caddyfile");
  await writeFile(whole, frame);
  world.front = world.program("caddy", ["run", "--adapter", "caddyfile", "--config", whole]);
  await listening(443);
}

async function listening(port) {
  const end = Date.now() + PATIENCE;
  while (!(await reached(port))) {
    if (Date.now() > end) throw new Error(`nobody listens at ${port}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function reached(port) {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    const done = (result) => () => {
      socket.destroy();
      resolve(result);
    };
    socket.once("connect", done(true));
    socket.once("error", done(false));
  });
}
