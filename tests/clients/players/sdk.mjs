// Plays shoppers with an SDK for Node.js. Reads a plan in JSON on its input; see tests/clients/programs.py.
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";

const plan = JSON.parse(readFileSync(0, "utf8"));
if (plan.clock_s) {
  const Right = Date;
  const now = () => Right.now() + plan.clock_s * 1000;
  globalThis.Date = class extends Right {
    constructor(...given) {
      super(...(given.length ? given : [now()]));
    }
    static now() {
      return now();
    }
  };
}
const clients = [];
for (const path of plan.modules) clients.push((await import(pathToFileURL(path))).analytics);
const errors = clients.map(() => []);
const note = (number) => (problem) => errors[number].push(String(problem?.reason ?? problem?.code ?? problem));
clients.forEach((client, number) => client.on?.("error", note(number)));
// RudderStack's SDK rejects without a handler, unless the shop sets one.
process.on("unhandledRejection", note(0));

const began = performance.now();
for (const step of plan.steps) {
  await sleep(Math.max(0, began + step.at_s * 1000 - performance.now()));
  const client = clients[step.client];
  const message = { anonymousId: step.visitor, context: { locale: "es-CO" } };
  if (step.call === "identify") client.identify({ ...message, traits: step.traits });
  if (step.call === "page") client.page({ ...message, name: step.name });
  if (step.call === "track") client.track({ ...message, event: step.name, properties: step.properties });
}
const end = async (client) => {
  if (client.closeAndFlush) return client.closeAndFlush({ timeout: 60_000 });
  // The first call ends early if another one is sending.
  do await client.flush();
  while (client.queue.length > 0);
  return client.flush();
};
await Promise.all(clients.map((client, number) => Promise.resolve(end(client)).catch(note(number))));
console.log(JSON.stringify({ errors }));
process.exit(0);
