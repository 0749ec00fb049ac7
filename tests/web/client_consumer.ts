// A TypeScript program that uses all of the client: it compiles when the generated types say what there is.

import {
  Api, RequestFailed, VoiceBridge, fold, heardOf, revealed,
  type Chip, type Conversation, type Details, type Entry, type Events, type Failure, type Goal, type Item, type Notice,
  type Options, type Part, type Phase, type State, type Task,
} from "../../web/client/index.js";

const nothing: Options = {};
const everything: Required<Options> = {
  server: new URL("https://bridge.test"), agent: "flux", pushToTalk: true, instance: "tab-1", sound: false,
  WebSocket, fetch, token: async () => null,
};
export const clients: VoiceBridge[] = [new VoiceBridge(), new VoiceBridge(nothing), new VoiceBridge(everything)];

/** Everything a client has: one that is missing here, or not there any more, does not compile. */
type Own = Exclude<keyof VoiceBridge, keyof EventTarget>;
export const uses: { [Name in Own]: (bridge: VoiceBridge) => unknown } = {
  state: (bridge): State => bridge.state,
  api: (bridge): Api => bridge.api,
  on: (bridge) => bridge.on("phase", (phase: Phase) => phase)(),
  start: (bridge): void => bridge.start(),
  stop: (bridge): void => bridge.stop(),
  tap: (bridge): void => bridge.tap(),
  mute: (bridge): void => bridge.mute(true),
  pushToTalk: (bridge): void => bridge.pushToTalk(false),
  press: (bridge): void => bridge.press(),
  release: (bridge): void => bridge.release(),
  sendText: (bridge): void => bridge.sendText("hello"),
  sendSound: (bridge) => [new ArrayBuffer(640), new Int16Array(320), new Uint8Array(640)].map((frame) => bridge.sendSound(frame)),
  played: (bridge): void => bridge.played(700),
  renew: (bridge): void => bridge.renew(),
  resume: (bridge): Promise<void>[] => [bridge.resume("c1"), bridge.resume("c1", [])],
  retry: (bridge): void => bridge.retry(),
  dismiss: (bridge): void => bridge.dismiss(),
  resumeSound: (bridge): void => bridge.resumeSound(),
  wake: (bridge): void => bridge.wake(),
  chooseMicrophone: (bridge): Promise<void> => bridge.chooseMicrophone(""),
  chooseSpeaker: (bridge): Promise<void> => bridge.chooseSpeaker(""),
};

export const listeners: { [Name in keyof Events]: (detail: Events[Name]) => unknown } = {
  change: (state: State) => state.items.map(shown),
  entry: (entry: Entry) => (entry.kind === "message" ? `${entry.role}: ${entry.content}` : entry.cursor),
  phase: (phase: Phase) => phase === "listening",
  call: (call: Chip) => `${call.name} ${call.status} ${call.duration.toFixed()}`,
  notice: (notice: Notice | null) => notice?.text ?? "",
  level: ({ who, level }) => (who === "you" ? level : -level),
  sound: (sound: ArrayBuffer) => new Int16Array(sound).length,
  signIn: (code) => code.startsWith("BRIDGE_"),
  refresh: (what) => what === "planner",
};

function shown(item: Item, place: number): string {
  const words = (part: Part): string => revealed(part, place)[0] + heardOf(part)[1];
  return item.kind === "message" ? item.parts.map(words).join(" ") : item.content;
}

export async function rest(api: Api): Promise<number> {
  const list: { items: Conversation[]; next: string | null } = await api.conversations({ text: "Spanish", limit: 5 });
  const items: readonly Item[] = fold(await api.entries("c1"));
  const { goals, tasks }: { goals: Goal[]; tasks: Task[] } = await api.planner();
  const facts: [Conversation, Conversation] = [await api.conversation("c1"), await api.rename("c1", "Spanish")];
  await api.remove("c1");
  return list.items.length + items.length + goals.length + tasks.length + facts.length + (await api.export("c1", "json")).size;
}

export function trouble(error: unknown): Failure | null {
  return error instanceof RequestFailed ? error.failure : null;
}

export const figures = ({ roundTripMs, latency }: Details): (number | null)[] => [roundTripMs, latency.total];

const bridge = new VoiceBridge();
// @ts-expect-error no such event
bridge.on("nothing", () => undefined);
// @ts-expect-error a phase is no number
bridge.on("phase", (phase: number) => phase);
// @ts-expect-error no such option
new VoiceBridge({ adress: "" });
// @ts-expect-error the state is replaced, not changed
bridge.state.items.push();
