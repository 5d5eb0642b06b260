// Check a built site: plain questions find their page first, and no page needs another host.
// node .ci/site_check.mjs site
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { createContext, runInContext } from "node:vm";

const QUESTIONS = {
  "HTTP 429": "reference/yuno-api/#rate-limits-http-429",
  "behaviour on HTTP 429": "reference/yuno-api/#rate-limits-http-429",
  "what happens on a 429": "reference/yuno-api/#rate-limits-http-429",
  "rotate keys": "guides/encrypt/#rotate-keys",
  "how to rotate encryption keys": "guides/encrypt/#rotate-keys",
  "key rotation": "guides/encrypt/#rotate-keys",
  rotation: "guides/encrypt/#rotate-keys",
  "rotate api keys": "guides/operate/#rotate-api-keys",
  "new api key": "guides/operate/#rotate-api-keys",
  timezone: "guides/contact-law/#whose-law-counts",
  "which session id": "guides/session-ids/",
  "cart id": "guides/session-ids/#use-the-cart-id",
  "session id": "guides/session-ids/",
  "what is a good session id": "guides/session-ids/",
  "add a holiday": "guides/operate/#add-a-holiday",
  "how do I add a holiday": "guides/operate/#add-a-holiday",
  "not contacted": "reference/outcomes/#why-a-session-was-not-contacted",
  "why was a session not contacted": "reference/outcomes/#why-a-session-was-not-contacted",
  "why was a shopper not contacted": "reference/outcomes/#why-a-session-was-not-contacted",
  "why was nobody contacted": "reference/outcomes/#why-a-session-was-not-contacted",
  "nobody contacted": "reference/outcomes/#why-a-session-was-not-contacted",
  "connect shop": "guides/connect-shop/",
  "connect from another container": "guides/connect-shop/#host",
  "run commands with compose": "guides/run-commands/",
  "restore a backup": "guides/restore-a-backup/",
  "go live": "guides/go-live/",
};
const INDEX = 0;
const QUERY = 2;
const RESULT = 3;

const site = process.argv[2] ?? "site";
const workers = join(site, "assets/javascripts/workers");
const index = JSON.parse(readFileSync(join(site, "search.json"), "utf8"));

// The worker of the built site, in a scope like a browser's.
let answer;
const scope = { self: { postMessage: (message) => answer(message) }, setTimeout, console };
const [worker] = readdirSync(workers).filter((name) => name.startsWith("search."));
runInContext(readFileSync(join(workers, worker), "utf8"), createContext(scope));
const ask = (type, data) =>
  new Promise((resolve) => {
    answer = resolve;
    scope.self.onmessage({ data: structuredClone({ type, data }) }); // as postMessage does
  });

await ask(INDEX, index);
const filter = {
  input: { type: "operator", data: { operator: "and", operands: [] } },
  aggregation: { input: [{ type: "term", data: { field: "tags" } }] },
};
let wrong = 0;
for (const [input, expected] of Object.entries(QUESTIONS)) {
  const { type, data } = await ask(QUERY, { input, filter });
  const found = type === RESULT && data.items.length ? index.items[data.items[0].id].location : "nothing";
  if (found === expected) continue;
  wrong += 1;
  console.error(`search "${input}": expected ${expected} first, found ${found}`);
}
console.log(`${Object.keys(QUESTIONS).length - wrong} of ${Object.keys(QUESTIONS).length} searches find their page first`);

// A link to another host is fine. A script, style sheet, font or picture from there isn't.
const loaded = /<(?:script|img|iframe)[^>]*\ssrc="?https?:[^>]*>|<link[^>]*rel="?(?:stylesheet|preconnect|preload)[^>]*https?:[^>]*>/g;
for (const name of readdirSync(site, { recursive: true }).filter((path) => path.endsWith(".html"))) {
  for (const [tag] of readFileSync(join(site, name), "utf8").matchAll(loaded)) {
    wrong += 1;
    console.error(`${name} loads from another host: ${tag}`);
  }
}
process.exitCode = wrong ? 1 : 0;
