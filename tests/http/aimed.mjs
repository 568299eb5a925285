// Sends POSTs through a proxy at the moment when an idle connection behind it may be closed: aimed.mjs URL MILLISECONDS…
// Before each round the proxy has as many connections to the server as there are POSTs. Prints how many answers were 502.
import http from "node:http";

const [url, ...moments] = process.argv.slice(2);
const AT_ONCE = 50;

function send(method, path) {
    return new Promise((resolve) => {
        const headers = { "Content-Type": "application/json" };
        const request = http.request(url + path, { method, headers, agent: false }, (answer) => {
            answer.resume();
            answer.on("end", () => resolve(answer.statusCode));
        });
        request.on("error", () => resolve(0));
        request.end(method === "POST" ? '{"token":"kp_inv_wrong"}' : undefined);
    });
}

const later = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const statuses = [];
for (const moment of moments.map(Number)) {
    const opened = await Promise.all(Array.from({ length: AT_ONCE }, () => send("GET", "/healthz")));
    if (opened.some((status) => status !== 204)) throw new Error(`cannot begin: ${opened}`);
    // From 60 ms before it to 20 ms after it: the proxy's connections were idle for a moment already.
    const aimed = Array.from({ length: AT_ONCE }, async (_, n) => {
        await later(moment - 60 + (80 * n) / AT_ONCE);
        return send("POST", "/api/signup/inspect");
    });
    statuses.push(...(await Promise.all(aimed)));
}
const lost = statuses.filter((status) => status === 0 || status >= 500).length;
console.log(`${lost} of ${statuses.length}`);
