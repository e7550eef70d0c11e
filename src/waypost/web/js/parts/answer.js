// A model's answer while it comes in, and what its headers say.

import { h } from "../dom.js";
import { compact, duration, money } from "../format.js";
import { t } from "../i18n.js";
import { card, facts } from "./states.js";

const VERDICTS = ["x-vsr-cache-", "x-vsr-tools-", "x-vsr-tool-"];

/** The card, a function that brings it up to date, and one that says whether it answers an earlier prompt. */
export function answerCard() {
  const thought = h("pre", { class: "thought", dir: "auto" }), said = h("pre", { class: "said-by-model", dir: "auto" });
  const earlier = h("p", { hidden: true }, h("span", { class: "tag warn" }, t("answer.earlier")));
  const thinking = h("details", { hidden: true }, h("summary", {}, t("answer.reasoning")), thought);
  const note = h("p", { class: "note" }), told = h("div", {});
  const body = h("section", { class: "card answer", "aria-live": "off", hidden: true }, h("h2", {}, t("answer.title")), earlier, thinking, said, note, told);
  const update = (answer) => {
    body.hidden = !answer;
    if (!answer) return;
    thought.textContent = answer.reasoning;
    thinking.hidden = !answer.reasoning;
    said.textContent = answer.text;
    said.hidden = !answer.text;
    body.classList.toggle("coming", !answer.done);
    note.className = answer.error ? "notice bad" : "note";
    note.hidden = !answer.error && answer.done;
    note.textContent = answer.error || (answer.text ? "" : t("state.waiting"));
    told.replaceChildren(...(answer.done ? summary(answer) : []));
  };
  return { body, update, age: (old) => { earlier.hidden = !old; } };
}

const summary = (answer) => [facts([
  [t("answer.model"), answer.headers["x-vsr-selected-model"]],
  [t("answer.first"), answer.first ? duration(answer.first) : null],
  [t("answer.total"), duration(answer.total)],
  [t("answer.tokens"), answer.usage && `${compact(answer.usage.prompt_tokens)} + ${compact(answer.usage.completion_tokens)}`],
  [t("answer.finish"), answer.finish],
]), h("details", {}, h("summary", {}, t("answer.headers")), facts(Object.entries(answer.headers)))];

/** What the cache and the choice of tools say of themselves; null where they say nothing. */
export function verdicts(answer) {
  const found = Object.entries(answer?.headers ?? {}).filter(([name]) => VERDICTS.some((start) => name.startsWith(start)));
  return found.length ? card(t("answer.verdicts"), facts(found.map(([name, value]) => [name.slice("x-vsr-".length), value]))) : null;
}

/** What the answer cost, against what the default model would have cost for the same tokens. Out of the cache it costs nothing. */
export function cost(answer, config) {
  if (!answer?.done || answer.error || !answer.usage) return null;
  const model = answer.headers["x-vsr-selected-model"], cached = answer.headers["x-vsr-cache-hit"] === "true";
  const base = config.observability?.baseline_model ?? config.routing.default_model;
  const own = price(config.models[model]?.pricing, answer.usage), other = price(config.models[base]?.pricing, answer.usage);
  if (cached && own) own.amount = 0;
  if (!own) return card(t("cost.title"), h("p", { class: "quiet" }, t("cost.unpriced", { model })));
  const comparable = other && other.currency === own.currency;
  const saved = comparable ? other.amount - own.amount : null;
  return card(t("cost.title"), facts([
    [model, [money(own.amount, own.currency), cached ? ` (${t("cost.cached")})` : ""]],
    [t("cost.default", { model: base }), comparable && (cached || base !== model) ? money(other.amount, other.currency) : null],
    [t("cost.saved"), saved === null || (base === model && !cached) ? null :
      h("b", { class: saved < 0 ? "warn" : "good" }, money(saved, own.currency), other.amount ? ` (${Math.round((100 * saved) / other.amount)} %)` : "")],
  ]));
}

const price = (pricing, usage) => pricing && {
  currency: pricing.currency,
  amount: (usage.prompt_tokens * pricing.prompt_per_1m + usage.completion_tokens * pricing.completion_per_1m) / 1e6,
};
