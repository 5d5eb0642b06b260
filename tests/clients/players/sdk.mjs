// Plays shoppers with an SDK for Node.js. Reads a plan in JSON on its input; see tests/clients/programs.py.
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";

const plan = JSON.parse(readFileSync(0, "utf8"));
const { analytics } = await import(pathToFileURL(plan.module));
const errors = [];
analytics.on?.("error", (problem) => errors.push(String(problem.reason ?? problem.code)));

const began = performance.now();
for (const step of plan.steps) {
  await sleep(Math.max(0, began + step.at_s * 1000 - performance.now()));
  const message = { anonymousId: step.visitor, context: { locale: "es-CO" } };
  if (step.call === "identify") analytics.identify({ ...message, traits: step.traits });
  if (step.call === "page") analytics.page({ ...message, name: step.name });
  if (step.call === "track") analytics.track({ ...message, event: step.name, properties: step.properties });
  // The defaults wait for more events, for at most ten seconds.
  Promise.resolve(analytics.flush()).catch((problem) => errors.push(String(problem)));
}
if (analytics.closeAndFlush) await analytics.closeAndFlush({ timeout: 60_000 });
else await analytics.flush();
console.log(JSON.stringify({ errors }));
process.exit(0);
