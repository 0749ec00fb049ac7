// `node tests/clients/node.mjs MODULES host:port "what is typed"`: prints what the app got, as JSON.

import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { talk } from "./stock.mjs";

const [modules, address, typed] = process.argv.slice(2);
const { DeepgramClient } = createRequire(pathToFileURL(`${modules}/`))("@deepgram/sdk");
console.log(JSON.stringify(await talk(DeepgramClient, address, typed)));
process.exit(0);
