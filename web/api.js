// The bridge this page came from, over HTTP.

import { Api } from "./client/api.js";

export const api = new Api();
