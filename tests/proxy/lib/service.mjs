// A small service: it tells what reached it, echoes what is said to it in a WebSocket, and has a large file.

import { createHash } from "node:crypto";
import { createServer } from "node:http";
import { WebSocketServer } from "ws";

/** Of `/large`, in bytes. */
export const LARGE = 100 * 1024 * 1024;
const PART = Buffer.alloc(1024 * 1024, "keyplate ");

export class Service {
  /** All requests that reached it: the method, the path, the headers. */
  requests = [];

  static async start(name, port) {
    const service = new Service();
    service.name = name;
    service.server = createServer((request, response) => service.answer(request, response));
    const sockets = new WebSocketServer({ noServer: true });
    service.server.on("upgrade", (request, socket, head) => {
      service.note(request);
      sockets.handleUpgrade(request, socket, head, (web) => {
        // Caddy ends with a frame that RFC 6455 does not let a client send.
        web.on("error", () => web.terminate());
        web.send(JSON.stringify(request.headers));
        web.on("message", (text) => web.send(`echo ${text}`));
      });
    });
    await new Promise((resolve) => service.server.listen(port, "127.0.0.1", resolve));
    return service;
  }

  note({ method, url, headers, rawHeaders }) {
    this.requests.push({ method, url, headers, rawHeaders });
  }

  async answer(request, response) {
    this.note(request);
    if (request.url === "/large") {
      response.writeHead(200, { "Content-Type": "application/octet-stream", "Content-Length": LARGE });
      for (let sent = 0; sent < LARGE; sent += PART.length) {
        if (!response.write(PART)) await new Promise((resolve) => response.once("drain", resolve));
      }
      response.end();
      return;
    }
    if (request.url === "/own-401") {
      response.writeHead(401, { "Content-Type": "text/plain" });
      response.end("the service's own");
      return;
    }
    const hash = createHash("sha256");
    let length = 0;
    for await (const chunk of request) {
      hash.update(chunk);
      length += chunk.length;
    }
    const { method, url, headers } = request;
    const isPage = request.headers.accept?.includes("text/html");
    const told = { service: this.name, method, url, headers, length, sha256: hash.digest("hex") };
    response.writeHead(200, { "Content-Type": isPage ? "text/html" : "application/json" });
    const user = headers["remote-user"];
    const page = `<!doctype html><title>${this.name}</title><h1>${this.name}: ${user}</h1><p>${url}`;
    response.end(isPage ? page : JSON.stringify(told));
  }

  stop() {
    this.server.closeAllConnections();
    return new Promise((resolve) => this.server.close(resolve));
  }
}
