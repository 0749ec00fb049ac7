export function atRest({ phase }: {
    phase: Phase;
}): boolean;
export function inTurns({ phase }: {
    phase: Phase;
}): boolean;
export type Phase = "idle" | "connecting" | "listening" | "thinking" | "speaking" | "reconnecting" | "ended" | "error";
