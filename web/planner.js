// Goals and tasks as the agent makes them; what is new or moved since the page was opened stands out.

import { api } from "./api.js";
import { find, icon, make, time } from "./dom.js";
import { dayAndClock, day, recurrence } from "./times.js";

/** @typedef {import("./client/api.js").Goal} Goal */
/** @typedef {import("./client/api.js").Task} Task */

export class Planner {
  #goals = find("goals");
  #tasks = find("tasks");
  #count = find("planner-count");
  /** What was there when the page was opened: kind and id → its time. @type {Map<string, string> | null} */
  #known = null;
  #asked = 0;

  /** Fetch both lists anew. */
  async refresh() {
    this.#asked += 1;
    const asked = this.#asked;
    const plan = await api.planner().catch(() => null);
    if (plan === null || asked !== this.#asked) return;
    const { goals, tasks } = plan;
    this.#known ??= new Map([...goals, ...tasks].map((thing) => [key(thing), when(thing)]));
    this.#draw(this.#goals, find("goals-empty"), goals.map((goal) => this.#entry(goal, goalEntry(goal))));
    this.#draw(this.#tasks, find("tasks-empty"), tasks.map((task) => this.#entry(task, taskEntry(task))));
    const news = document.querySelectorAll("#planner [data-new]").length;
    this.#count.hidden = news === 0;
    this.#count.textContent = String(news);
    find("open-planner").setAttribute("aria-label", news ? `Goals and tasks, ${news} new` : "Goals and tasks");
  }

  /** What is there was seen: nothing is new any more. */
  acknowledge() {
    this.#known = null;
    void this.refresh();
  }

  /** @param {Goal | Task} thing @param {HTMLElement} element */
  #entry(thing, element) {
    const changed = this.#known?.get(key(thing)) !== when(thing);
    element.toggleAttribute("data-new", changed);
    element.dataset.id = thing.id;
    if (changed) element.querySelector(".name")?.append(make("em", {}, this.#known?.has(key(thing)) ? "moved" : "new"));
    return element;
  }

  /** @param {Element} list @param {HTMLElement} empty @param {HTMLElement[]} entries */
  #draw(list, empty, entries) {
    list.replaceChildren(...entries);
    empty.hidden = entries.length > 0;
  }
}

/** Goals and tasks are numbered each by themselves. @param {Goal | Task} thing */
const key = (thing) => `${"statement" in thing ? "goal" : "task"} ${thing.id}`;

/** @param {Goal | Task} thing */
const when = (thing) => ("statement" in thing ? "" : thing.scheduled_at ?? "");

/** @param {Goal} goal */
function goalEntry({ statement, timeline, due_at: due }) {
  const facts = make("span", { class: "facts" }, timeline);
  if (due) facts.append(timeline ? " · by " : "by ", time(due, day(due, new Date())));
  return make("li", { class: "thing" }, icon("goal"), make("span", { class: "name" }, statement), facts);
}

/** @param {Task} task */
function taskEntry({ title, trigger_type: trigger, scheduled_at: at, recurrence_rule: rule, location_trigger: place, previous_time: before }) {
  const facts = make("span", { class: "facts" });
  if (at) facts.append(time(at, dayAndClock(at, new Date())));
  if (place) facts.append(place);
  if (rule) facts.append(at || place ? " · " : "", recurrence(rule));
  if (before) facts.append(" · was ", make("s", {}, dayAndClock(before, new Date())));
  const picture = trigger === "location" ? "place" : rule ? "repeat" : "task";
  return make("li", { class: "thing" }, icon(picture), make("span", { class: "name" }, title), facts);
}
