// A place to try it: the server, services that tell what they are sent, and proxies with the files of docs/proxy.md.

import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import http from "node:http";
import net from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";

const documents = readFileSync(new URL("../../docs/proxy.md", import.meta.url), "utf8");

/** The file that the document prints under a language, with other names and ports. */
function printed(language, slug, host, listen, server, service) {
  const blocks = documents.matchAll(/^```(\w+)\n(# Forward auth for the service "films"\.\n[^]*?)^```/gm);
  const [, , text] = [...blocks].find(([, found]) => found === language);
  return text
    .replaceAll("films.example", host)
    .replaceAll("films", slug)
    .replace("listen 443 ssl;", `listen ${listen};`)
    .replaceAll("127.0.0.1:1411", `127.0.0.1:${server}`)
    .replaceAll("127.0.0.1:9000", `127.0.0.1:${service}`);
}

export function freePort() {
  return new Promise((done) => {
    const listener = net.createServer().listen(0, "127.0.0.1", () => {
      const { port } = listener.address();
      listener.close(() => done(port));
    });
  });
}

/** Without a shell's cookies: each host keeps its own, as browsers do it, which know no ports. */
export class Jar {
  hosts = new Map();

  of(host) {
    const name = host.split(":")[0];
    if (!this.hosts.has(name)) this.hosts.set(name, new Map());
    return this.hosts.get(name);
  }

  header(host) {
    return [...this.of(host)].map(([name, value]) => `${name}=${value}`).join("; ");
  }

  keep(host, lines = []) {
    for (const line of lines) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line);
      if (value) this.of(host).set(name, value);
      else this.of(host).delete(name);
    }
  }
}

/** A request to an origin, all of which are on this machine. */
export function ask(url, { method = "GET", headers = {}, jar, body, localAddress } = {}) {
  const { hostname, port, host, pathname, search } = new URL(url);
  const cookie = jar?.header(host);
  return new Promise((done, fail) => {
    const request = http.request(
      {
        host: "127.0.0.1",
        port,
        method,
        path: pathname + search,
        localAddress,
        headers: { Host: host, ...(cookie ? { Cookie: cookie } : {}), ...headers },
      },
      (response) => {
        jar?.keep(hostname, response.headers["set-cookie"]);
        const parts = [];
        response.on("data", (part) => parts.push(part));
        response.on("error", fail);
        response.on("end", () => {
          const bytes = Buffer.concat(parts);
          let json = null;
          try {
            json = JSON.parse(bytes);
          } catch {
            // A page.
          }
          done({ status: response.statusCode, headers: response.headers, bytes, text: String(bytes.subarray(0, 100_000)), json, url });
        });
      },
    );
    request.on("error", fail);
    request.end(body);
  });
}

const PAGE = {
  Accept: "text/html,application/xhtml+xml,*/*;q=0.8",
  "Sec-Fetch-Mode": "navigate",
  "Sec-Fetch-Dest": "document",
  "Sec-Fetch-Site": "none",
};

/** Opens a page as a browser does, from one redirection to the next. */
export async function open(url, jar, headers = {}) {
  const way = [];
  for (let step = 0; step < 12; step += 1) {
    const answer = await ask(url, { jar, headers: { ...PAGE, ...headers } });
    way.push(`${answer.status} ${url}`);
    const to = answer.headers.location;
    if (answer.status < 300 || answer.status > 399 || !to) return { ...answer, way };
    url = new URL(to, url).href;
  }
  throw new Error(`too many redirections: ${way.join("\n")}`);
}

/** A service that tells what it is sent. `/film` is 100 MB; what is upgraded comes back. */
function service() {
  return new Promise((done) => {
    const server = http.createServer((request, response) => {
      if (request.url === "/film") {
        response.writeHead(200, { "Content-Length": 100_000_000 });
        const part = Buffer.alloc(1_000_000);
        let left = 100;
        const more = () => {
          while (left > 0) {
            left -= 1;
            if (!response.write(part)) return response.once("drain", more);
          }
          response.end();
        };
        return more();
      }
      const parts = [];
      request.on("data", (part) => parts.push(part));
      request.on("end", () => {
        const body = Buffer.concat(parts).toString();
        const told = JSON.stringify({ method: request.method, url: request.url, headers: request.headers, body });
        const asked = request.headers.accept?.includes("text/html");
        response.setHeader("Content-Type", asked ? "text/html; charset=utf-8" : "application/json");
        const user = Buffer.from(request.headers["remote-user"] ?? "", "latin1").toString();
        response.end(asked ? `<!doctype html><title>${request.url}</title><h1>Films of ${user}</h1><pre>${told}</pre>` : told);
      });
    });
    server.on("upgrade", (request, socket) => {
      const accept = createHash("sha1").update(`${request.headers["sec-websocket-key"]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`);
      socket.write(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
          `Sec-WebSocket-Accept: ${accept.digest("base64")}\r\n\r\n`,
      );
      socket.on("data", (data) => socket.write(data));
      socket.on("error", () => {});
    });
    server.listen(0, "127.0.0.1", () => done(server));
  });
}

async function until(what, works) {
  for (let turn = 0; turn < 200; turn += 1) {
    if (await works().catch(() => false)) return;
    await new Promise((done) => setTimeout(done, 50));
  }
  throw new Error(`waited in vain for ${what}`);
}

/** Everything that stands up, and how it is taken down. */
export async function place() {
  const folder = mkdtempSync(path.join(tmpdir(), "proxy-"));
  const started = [];
  const run = (program, ...options) => {
    const child = spawn(program, options, { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, HOME: folder } });
    child.said = "";
    for (const out of [child.stdout, child.stderr]) out.on("data", (text) => (child.said += text));
    started.push(child);
    return child;
  };
  const [port, nginxPort, caddyPort] = [await freePort(), await freePort(), await freePort()];
  const id = `http://id.localhost:${port}`;
  const server = run(
    process.env.KEYPLATE_SERVER,
    ...["--data", path.join(folder, "data"), "--listen", `127.0.0.1:${port}`, "--origin", id, "--trusted-proxy", "127.0.0.1"],
  );
  await until("the server", async () => server.said.includes("setup link"));
  const token = /#token=(\S+)/.exec(server.said)[1];

  const slugs = { films: nginxPort, library: nginxPort, music: caddyPort, comics: caddyPort };
  const services = {};
  let nginx = "";
  let caddy = "{\n    admin off\n    auto_https off\n}\n";
  for (const [slug, at] of Object.entries(slugs)) {
    const listener = await service();
    const behind = listener.address().port;
    const host = `${slug}.localhost`;
    services[slug] = { origin: `http://${host}:${at}`, listener, behind };
    if (at === nginxPort) nginx += printed("nginx", slug, host, `127.0.0.1:${at}`, port, behind);
    else caddy += printed("text", slug, `http://${host}:${at}`, at, port, behind);
  }
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((kind) => `${kind}_temp_path ${folder}/nginx-${kind};`);
  writeFileSync(
    path.join(folder, "nginx.conf"),
    `daemon off;\nmaster_process off;\npid ${folder}/nginx.pid;\nerror_log ${folder}/nginx.log;\nevents {}\nhttp {\naccess_log off;\n${temporary.join("\n")}\n${nginx}\n}\n`,
  );
  writeFileSync(path.join(folder, "Caddyfile"), caddy);
  mkdirSync(path.join(folder, "caddy"));
  const proxies = {
    nginx: run("nginx", "-c", path.join(folder, "nginx.conf"), "-p", folder, "-e", path.join(folder, "nginx.log")),
    caddy: run("caddy", "run", "--adapter", "caddyfile", "--config", path.join(folder, "Caddyfile")),
  };
  for (const at of [nginxPort, caddyPort]) {
    const answers = async () => (await ask(`http://films.localhost:${at}/`)).status > 0;
    await until("a proxy", answers).catch((error) => {
      throw new Error(`${error.message}: ${proxies.nginx.said}${proxies.caddy.said}`);
    });
  }

  const api = async (method, to, body, key) => {
    const headers = { "Content-Type": "application/json", ...(key ? { "X-API-Key": key } : {}) };
    return ask(id + to, { method, headers, body: body && JSON.stringify(body) });
  };
  return {
    id,
    port,
    token,
    services,
    api,
    async end() {
      for (const child of started) child.kill("SIGKILL");
      for (const { listener } of Object.values(services)) {
        listener.closeAllConnections();
        listener.close();
      }
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

let failed = 0;
export function check(name, expected, actual) {
  const [wanted, got] = [expected, actual].map((value) => (typeof value === "string" ? value : JSON.stringify(value)));
  if (wanted === got) return console.log(`ok ${name}`);
  failed += 1;
  console.log(`not ok ${name}: expected ${wanted}, got ${got}`);
}

export const failures = () => failed;
