// Signs and verifies with the libraries of those who send webhooks. Reads jobs in JSON on its input, and prints their results.
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const { libraries, jobs } = JSON.parse(readFileSync(0, "utf8"));
const { CloudEvent, HTTP, Webhook, createSHA256HMAC, shopifyApi } = await import(pathToFileURL(libraries));

const shop = (secret) =>
  shopifyApi({
    apiKey: "app",
    apiSecretKey: secret,
    apiVersion: "2025-10",
    hostName: "app.example",
    isEmbeddedApp: false,
    logger: { log: () => {} },
  });

const DO = {
  shopify_sign: ({ secret, body }) => createSHA256HMAC(secret, body),
  shopify_validate: async ({ secret, body, headers }) => {
    const rawRequest = { method: "POST", url: "/shopify/shop-a", headers };
    return (await shop(secret).webhooks.validate({ rawBody: body, rawRequest })).valid;
  },
  standard_sign: ({ secret, id, at_s, body }) => new Webhook(secret).sign(id, new Date(at_s * 1000), body),
  cloud_event: ({ mode, attributes, data }) => HTTP[mode](new CloudEvent({ ...attributes, data })),
};
const results = [];
for (const job of jobs) results.push(await DO[job.do](job));
console.log(JSON.stringify(results));
