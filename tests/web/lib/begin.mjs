// What most stories begin with.

import { Person } from "./person.mjs";

/** Goes through set-up by its link, and stands in his account afterwards. */
export async function becomeAdministrator(browser, server, { username = "ann", ...options } = {}) {
  const person = await Person.arrive(browser, server, options);
  await person.open(server.link);
  await person.type("Username", username);
  await person.press("Continue");
  await person.press("Add a passkey");
  await person.follow("Go to your account");
  await person.seesHeading("Your account");
  return person;
}

/** Lets people in without an invitation, as scripts of the house do. */
export async function allow(server, administrator, settings) {
  const [cookie] = (await administrator.context.cookies()).filter(({ name }) => name.endsWith("access_token"));
  const answer = await server.ask("PUT", "/api/application-configuration", { session: cookie.value, body: settings });
  if (answer.status !== 200) throw new Error(`settings: ${answer.status} ${JSON.stringify(answer.body)}`);
}

/** Signs up freely with a passkey, and stands in his account. */
export async function signUp(browser, server, username, options = {}) {
  const person = await Person.arrive(browser, server, options);
  await person.open("/signup");
  await person.type("Username", username);
  await person.press("Create account with a passkey");
  await person.isAt("/account");
  await person.seesHeading("Your account");
  return person;
}

/** What somebody's browser holds, for requests of a script in their name. */
export async function sessionOf({ context }) {
  const cookies = await context.cookies();
  return cookies.find(({ name }) => name.endsWith("access_token")).value;
}
