// One page for set-up, invitations and sign-in: the link's fragment says which.
import { creationOptions, credentialJson, requestOptions } from "/webauthn.js";

const byId = (id) => document.getElementById(id);
const say = (text) => (byId("status").textContent = text);
const [kind, token] = location.hash.slice(1).split("=");

async function send(path, form) {
  const response = await fetch(path, form && { method: "POST", body: new URLSearchParams(form) });
  const answer = await response.json();
  if (!response.ok) throw new Error(`${response.status} ${answer.error} ${answer.reason ?? ""}`.trim());
  return answer;
}

async function register(path, form) {
  const options = await send(`${path}/begin`, form);
  const made = await navigator.credentials.create({ publicKey: creationOptions(options.publicKey ?? options) });
  return send(`${path}/finish`, { answer: JSON.stringify(credentialJson(made)) });
}

async function signIn() {
  const options = await send("/sign-in/begin", {});
  const given = await navigator.credentials.get({ publicKey: requestOptions(options.publicKey ?? options) });
  return send("/sign-in/finish", { answer: JSON.stringify(credentialJson(given)) });
}

async function enter() {
  const username = byId("door").elements.username.value;
  if (kind === "setup") {
    await send("/set-up", { token, username });
    await register("/passkeys", {});
  } else if (kind === "invitation") {
    await register("/sign-up", { token, username });
  } else {
    await signIn();
  }
  history.replaceState(null, "", "/");
  await show();
}

async function show() {
  const { reader, comics } = await send("/comics");
  byId("comics").replaceChildren(...comics.map((name) => Object.assign(document.createElement("li"), { textContent: name })));
  byId("door").hidden = true;
  byId("inside").hidden = false;
  say(`Welcome, ${reader}.`);
}

function on(id, event, act) {
  byId(id).addEventListener(event, async (happened) => {
    happened.preventDefault();
    say("…");
    try {
      await act();
    } catch (problem) {
      say(problem.message);
    }
  });
}

async function result(path, form, name) {
  byId("result").value = (await send(path, form))[name];
  say("Done.");
}

on("door", "submit", enter);
on("invite", "click", () => result("/invitations", { approval: "no" }, "link"));
on("invite-with-approval", "click", () => result("/invitations", { approval: "yes" }, "link"));
on("app-password", "click", () => result("/app-passwords", { name: "tablet" }, "secret"));
on("leave", "click", async () => {
  await send("/sign-out", {});
  location.reload();
});
if (kind) byId("enter").textContent = kind === "setup" ? "Become the administrator" : "Accept the invitation";
byId("enter").disabled = false;
