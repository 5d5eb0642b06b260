// Signs and verifies with the libraries of senders. Reads jobs in JSON on its input; see tests/clients/test_signatures.py.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const { packages, jobs } = JSON.parse(readFileSync(0, "utf8"));
const from = createRequire(pathToFileURL(`${packages}/`));
const load = (name) => import(pathToFileURL(from.resolve(name)));
