// Times as people say them: of day, of date, lengths, recurrences. Pure: now is an argument.

/** @param {Date} date @returns {number} */
const midnight = (date) => new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();

/** Whole days from now's day to that day. @param {Date} date @param {Date} now */
const daysAway = (date, now) => Math.round((midnight(date) - midnight(now)) / 86_400_000);

/** 7:30 AM @param {string} at ISO 8601 @param {string} [locale] */
export const clock = (at, locale) => new Date(at).toLocaleTimeString(locale, { hour: "numeric", minute: "2-digit" });

/** Today, Yesterday, Monday, 3 Mar, 3 Mar 2024. @param {string} at @param {Date} now @param {string} [locale] */
export function day(at, now, locale) {
  const date = new Date(at);
  const away = daysAway(date, now);
  const near = { "-1": "Yesterday", 0: "Today", 1: "Tomorrow" }[away];
  if (near) return near;
  if (away > 1 && away < 7) return date.toLocaleDateString(locale, { weekday: "long" });
  const year = date.getFullYear() === now.getFullYear() ? undefined : /** @type {const} */ ("numeric");
  return date.toLocaleDateString(locale, { day: "numeric", month: "short", year });
}

/** Tomorrow, 7:30 AM @param {string} at @param {Date} now @param {string} [locale] */
export const dayAndClock = (at, now, locale) => `${day(at, now, locale)}, ${clock(at, locale)}`;

/** 40 s, 3 min, 1 h 5 min. @param {number} seconds */
export function length(seconds) {
  if (seconds < 60) return `${Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  return minutes % 60 ? `${Math.floor(minutes / 60)} h ${minutes % 60} min` : `${minutes / 60} h`;
}

/** 180 ms, 1.2 s. @param {number} ms */
export const duration = (ms) => (ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`);

/** @type {Record<string, string>} */
const DAYS = {
  MO: "Monday", TU: "Tuesday", WE: "Wednesday", TH: "Thursday", FR: "Friday", SA: "Saturday", SU: "Sunday",
};
/** @type {Record<string, string>} */
const UNITS = { HOURLY: "hour", DAILY: "day", WEEKLY: "week", MONTHLY: "month", YEARLY: "year" };

/** British English puts no comma before the last "and". */
const LIST = new Intl.ListFormat("en-GB");

/**
 * An RFC 5545 rule in words: FREQ=WEEKLY;BYDAY=MO,WE → every Monday and Wednesday. The rule itself when it is too intricate.
 * @param {string} rule
 */
export function recurrence(rule) {
  const parts = Object.fromEntries(rule.split(";").map((part) => part.split("=")));
  const { FREQ, INTERVAL = "1", BYDAY = "", BYMONTHDAY = "" } = parts;
  const unit = UNITS[FREQ];
  const days = BYDAY ? BYDAY.split(",") : [];
  if (!unit || days.some((/** @type {string} */ name) => !DAYS[name])) return rule;
  const every = INTERVAL === "1" ? "every" : INTERVAL === "2" ? "every other" : `every ${INTERVAL}`;
  const many = Number(INTERVAL) > 2 ? "s" : "";
  const weekdays = days.length === 5 && !days.includes("SA") && !days.includes("SU");
  const named = weekdays ? "weekday" : LIST.format(days.map((/** @type {string} */ name) => DAYS[name]));
  if (days.length) return INTERVAL === "1" ? `every ${named}` : `${every} ${unit}${many} on ${named}`;
  const onDay = BYMONTHDAY ? ` on day ${BYMONTHDAY}` : "";
  return `${every} ${unit}${many}${onDay}`;
}
