// `node tests/clients/node.mjs MODULES host:port "a line" "another line"`: prints what the app got, as JSON.

import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { talk } from "./stock.mjs";

const [modules, address, ...lines] = process.argv.slice(2);
const { DeepgramClient } = createRequire(pathToFileURL(`${modules}/`))("@deepgram/sdk");
console.log(JSON.stringify(await talk(DeepgramClient, address, lines)));
process.exit(0);
