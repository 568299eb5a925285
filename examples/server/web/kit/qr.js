// QR codes. The server draws them.

import { client } from "./calls.js";
import { t } from "./words.js";

/**
 * The picture of a link, or null where there is none: the link itself stands beside it. It goes in the body of a
 * request, since it may hold a secret.
 */
export function qrCode(text) {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    request.open("POST", `${client.base}/api/qr-code`);
    request.setRequestHeader("Content-Type", "application/json");
    // Read by the browser as a document of its own, in which no script runs: trusted types forbid markup made of text.
    request.responseType = "document";
    request.addEventListener("loadend", () => resolve(pictureOf(request)));
    request.send(JSON.stringify({ text }));
  });
}

function pictureOf(request) {
  const picture = request.status === 200 ? request.responseXML?.documentElement : null;
  if (picture?.localName !== "svg") return null;
  picture.setAttribute("class", "qr-code");
  picture.setAttribute("role", "img");
  picture.setAttribute("aria-label", t("secret.qr"));
  return document.adoptNode(picture);
}
