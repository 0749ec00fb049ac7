// The phases of a talk, and what several of them have in common. Pure.

/** @typedef {"idle" | "connecting" | "listening" | "thinking" | "speaking" | "reconnecting" | "ended" | "error"} Phase */

/** Nothing is running; the next tap or text begins. @param {{phase: Phase}} state */
export const atRest = ({ phase }) => phase === "idle" || phase === "ended" || phase === "error";

/** The agent is there: it listens, thinks or speaks. @param {{phase: Phase}} state */
export const inTurns = ({ phase }) => phase === "listening" || phase === "thinking" || phase === "speaking";
