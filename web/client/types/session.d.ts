/** `sound`: the agent's voice is played here.
 * @param {{agent?: string | null, instance?: string, pushToTalk?: boolean, sound?: boolean}} [preferences]
 * @returns {State}
 */
export function initial({ agent, instance, pushToTalk, sound }?: {
    agent?: string | null;
    instance?: string;
    pushToTalk?: boolean;
    sound?: boolean;
}): State;
/** @param {State} state @param {Message} message @returns {Step} */
export function reduce(state: State, message: Message): Step;
export type State = import("./types.js").State;
export type Message = import("./types.js").Message;
export type Effect = import("./types.js").Effect;
export type Step = import("./types.js").Step;
