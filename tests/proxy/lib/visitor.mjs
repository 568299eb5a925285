// Somebody with a browser's cookies, who asks by scripts.

import { Agent, request } from "node:https";

const agent = new Agent({ keepAlive: true, rejectUnauthorized: false, maxSockets: 200 });

/** What a browser says when somebody opens a page. */
export const PAGE = {
  Accept: "text/html,application/xhtml+xml,*/*;q=0.8",
  "Sec-Fetch-Mode": "navigate",
  "Sec-Fetch-Dest": "document",
  "Sec-Fetch-Site": "none",
};

export class Visitor {
  /** By host: names and values. */
  cookies = new Map();

  constructor(world) {
    this.world = world;
  }

  jar(host) {
    if (!this.cookies.has(host)) this.cookies.set(host, new Map());
    return this.cookies.get(host);
  }

  /** One request, without following. Headers may be an array of names and values, to be sent as they are. */
  ask(address, { method = "GET", headers = {}, body, cookies = true } = {}) {
    const url = new URL(address);
    const jar = this.jar(url.hostname);
    const sent = { ...headers };
    if (cookies && jar.size > 0) sent.Cookie = [...jar].map(([name, value]) => `${name}=${value}`).join("; ");
    return new Promise((resolve, reject) => {
      const asked = request(url, { method, headers: sent, agent, servername: url.hostname }, async (answer) => {
        this.keep(jar, answer.headers["set-cookie"] ?? []);
        const parts = [];
        for await (const part of answer) parts.push(part);
        const text = Buffer.concat(parts).toString();
        const isJson = answer.headers["content-type"]?.startsWith("application/json");
        resolve({
          status: answer.statusCode,
          headers: answer.headers,
          text,
          json: isJson && text ? JSON.parse(text) : null,
          to: answer.headers.location ? new URL(answer.headers.location, url).href : null,
          address,
        });
      });
      asked.on("error", reject);
      asked.end(body);
    });
  }

  keep(jar, lines) {
    for (const line of lines) {
      const [pair] = line.split(";");
      const at = pair.indexOf("=");
      const [name, value] = [pair.slice(0, at).trim(), pair.slice(at + 1).trim()];
      if (/max-age=0/i.test(line) || value === "") jar.delete(name);
      else jar.set(name, value);
    }
  }

  /** Opens a page as a browser does, and goes where it is sent; gives all answers, the last of them last. */
  async walk(address, options = {}) {
    const answers = [];
    for (let next = address; next; ) {
      const answer = await this.ask(next, { ...options, headers: { ...PAGE, ...options.headers } });
      answers.push(answer);
      if (answers.length > 12) throw new Error(`round and round: ${answers.map(({ address: it }) => it).join(" ")}`);
      next = answer.status >= 300 && answer.status < 400 ? answer.to : null;
    }
    return answers;
  }

  async open(address, options) {
    return (await this.walk(address, options)).at(-1);
  }

  /** Signs in at the identity's own host, by a code that the host made. */
  async signIn(name) {
    const code = await this.world.code(name);
    const answer = await this.ask(`${this.world.identity}/api/one-time-access-token/${code}`, { method: "POST" });
    if (answer.status !== 200) throw new Error(`${name} signs in: ${answer.status} ${answer.text}`);
    return this;
  }

  async signOut() {
    const headers = { Origin: this.world.identity };
    const answer = await this.ask(`${this.world.identity}/api/webauthn/logout`, { method: "POST", headers });
    if (answer.status !== 204) throw new Error(`signs out: ${answer.status} ${answer.text}`);
  }
}
