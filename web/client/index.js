// The thin client of Voice Bridge: a talk in a browser or in Node. See docs/client.md.

export { Api, RequestFailed } from "./api.js";
export { revealed } from "./captions.js";
export { fold, heardOf } from "./record.js";
export { VoiceBridge } from "./voice-bridge.js";

/** @typedef {import("./api.js").Conversation} Conversation */
/** @typedef {import("./api.js").Goal} Goal */
/** @typedef {import("./api.js").Task} Task */
/** @typedef {import("./phases.js").Phase} Phase */
/** @typedef {import("./protocol.js").Entry} Entry */
/** @typedef {import("./record.js").Bubble} Bubble */
/** @typedef {import("./record.js").Chip} Chip */
/** @typedef {import("./record.js").Item} Item */
/** @typedef {import("./record.js").Part} Part */
/** @typedef {import("./types.js").Details} Details */
/** @typedef {import("./types.js").Events} Events */
/** @typedef {import("./types.js").Failure} Failure */
/** @typedef {import("./types.js").Notice} Notice */
/** @typedef {import("./types.js").Options} Options */
/** @typedef {import("./types.js").State} State */
