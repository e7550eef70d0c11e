// One prompt of the playground: what is typed, what the router makes of it, what comes back.

import { json } from "./api.js";
import { chat } from "./chat.js";
import { announce, h } from "./dom.js";
import { t } from "./i18n.js";
import { answerCard, cost, verdicts } from "./parts/answer.js";
import { guards } from "./parts/guards.js";
import { edits, outcome } from "./parts/outcome.js";
import { decisions } from "./parts/rules.js";
import { signals } from "./parts/signals.js";
import { failed, nothing, waiting } from "./parts/states.js";
import { composer } from "./parts/composer.js";

const MOST_TOKENS = 512;

/** What is kept of a lane when the page is left, and what of it a link shares. */
export const fresh = (shared = {}) => ({
  messages: shared.messages ?? [{ role: "user", content: "" }],
  model: shared.model ?? "", tools: shared.tools ?? "", evaluation: null, answer: null, error: null,
});
export const shareable = ({ messages, model, tools }) => ({ messages, model, tools });

/** `context`: {config, names, titled, changed(), typed(), asking()}; returns its element and what the page may have it do. */
export function lane(state, label, context) {
  const reading = h("div", { class: "reading" }), rest = h("div", {}), { body, update } = answerCard();
  let running = null;

  const paint = () => {
    reading.replaceChildren(...shown(state));
    after();
    context.changed();
  };
  const after = () => {
    update(state.answer);
    const cards = state.answer?.done ? [verdicts(state.answer), cost(state.answer, context.config), reply()] : [];
    rest.replaceChildren(...cards.filter(Boolean));
  };
  const reply = () => state.answer.text && !state.answer.error ? h("button", { class: "button", type: "button", onclick: () => {
    state.messages.push({ role: "assistant", content: state.answer.text }, { role: "user", content: "" });
    state.answer = null;
    form.refresh();
    after();
  } }, t("lane.reply")) : null;

  async function explain() {
    reading.replaceChildren(waiting());
    context.asking?.();
    await evaluate(state, asked(state));
    paint();
  }
  async function send() {
    running?.abort();
    running = new AbortController();
    form.busy(true);
    state.answer = null;
    const { signal } = running;
    await Promise.all([explain(), chat({ ...asked(state), max_tokens: MOST_TOKENS }, signal, (answer) => {
      if (running?.signal !== signal) return;
      state.answer = answer;
      if (!answer.done) { update(answer); return; }
      after();
      context.typed(); // what it cost can be compared now
    })]);
    if (running?.signal === signal) form.busy(false);
  }

  const form = composer(state, label, context.names, { explain, send, stop: () => running?.abort(), typed: context.typed });
  paint();
  const element = h("section", { class: "lane", "aria-label": label },
    h("div", { class: "asking" }, context.titled ? h("h2", {}, label) : null, form.element, body, rest), reading);
  return { element, explain, ask: form.ask, leave: () => running?.abort() };
}

/** What a lane asks the router. */
export function asked(state) {
  return {
    messages: state.messages.filter((message) => message.content || message.role !== "user" || state.messages.length === 1),
    ...(state.model ? { model: state.model } : {}),
    ...(state.tools.trim() ? { tools: JSON.parse(state.tools) } : {}),
  };
}

/** Ask what the router would do, and keep what it tells. */
export async function evaluate(state, body) {
  state.evaluation = null; // what was told before is of another request
  try {
    state.evaluation = await json("api/v1/eval", { method: "POST", body });
    state.error = null;
    announce(t("lane.told", { decision: state.evaluation.routing_decision || "–", model: state.evaluation.selected_model }));
  } catch (error) {
    [state.evaluation, state.error] = [null, error];
  }
}

/** What a lane shows of what it was told. */
export function shown({ evaluation, error }) {
  if (error) return [failed(error)];
  if (!evaluation) return [nothing(t("lane.empty"))];
  return [outcome(evaluation), signals(evaluation), decisions(evaluation), guards(evaluation), edits(evaluation)].filter(Boolean);
}
