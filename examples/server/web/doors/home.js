// The start: to set-up while the server waits for its first administrator, else to the account or to signing in.

import { client, to } from "../kit/calls.js";
import { ApiError } from "../kit/client.js";
import { load, skeleton } from "../kit/forms.js";
import { main } from "./door.js";

async function whereTo() {
  if (await client.whoAmI()) return "/account";
  return (await isSetupOpen()) ? "/setup" : "/signin";
}

async function isSetupOpen() {
  try {
    await client.send("GET", "/api/signup/setup");
    return true;
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return false;
    throw error;
  }
}

load(main, whereTo, (path) => {
  location.replace(to(path));
  return skeleton();
});
