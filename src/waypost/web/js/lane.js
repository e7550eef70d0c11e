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
import { composer, listed, ROLES } from "./parts/composer.js";

const MOST_TOKENS = 512;

/** What is kept of a lane when the page is left, and what of it a link shares. */
export const fresh = (shared = {}) => ({
  messages: shared.messages?.length ? shared.messages : [{ role: "user", content: "" }],
  model: shared.model ?? "", tools: shared.tools ?? "", evaluation: null, answer: null, error: null,
  asking: false, // an explanation is under way, or was when the lane was left
  told: "", sent: "", // which request the explanation and the answer are of: `wording`
});
export const shareable = ({ messages, model, tools }) => ({ messages, model, tools });

/** Whether a link holds what `shareable` makes; links come from anywhere. */
export const readable = ({ messages = [], model = "", tools = "" }) => Array.isArray(messages) && typeof model === "string" && typeof tools === "string"
  && messages.every((each) => ROLES.includes(each?.role) && typeof each.content === "string");

/** `context`: {config, names, titled, changed(), typed(), asking(body)}; returns its element and what the page may have it do. */
export function lane(state, label, context) {
  const reading = h("div", { class: "reading" }), rest = h("div", {}), earlier = outdated("lane.earlier");
  const { body, update, age } = answerCard();
  let telling = null, running = null; // AbortControllers of the last explanation and the last chat
  let settled = Promise.resolve();

  const paint = () => {
    reading.replaceChildren(earlier, ...shown(state));
    after();
    context.changed();
  };
  const after = () => {
    update(state.answer);
    const cards = state.answer?.done ? [verdicts(state.answer), cost(state.answer, context.config), state.answer.text && !state.answer.error && reply] : [];
    rest.replaceChildren(...cards.filter(Boolean));
    compare();
  };
  /** Say so where what is shown is not of what is typed. */
  const compare = () => {
    const now = wording(state), old = state.sent !== now;
    earlier.hidden = !(state.evaluation || state.error) || state.told === now;
    age(Boolean(state.answer) && old);
    reply.disabled = old; // it would put the answer below a prompt that it does not answer
  };
  const typed = () => { compare(); context.typed(); };
  const reply = h("button", { class: "button", type: "button", onclick: () => {
    state.messages.push({ role: "assistant", content: state.answer.text }, { role: "user", content: "" });
    state.answer = null;
    form.refresh();
    after();
    context.typed();
  } }, t("lane.reply"));

  /** End the chat and drop its answer. */
  const halt = () => {
    running?.abort();
    running = state.answer = null;
    form.busy(false);
    after();
  };
  /** Another prompt is there: nothing of the last one is. */
  const anew = () => {
    telling?.abort();
    halt();
    Object.assign(state, { evaluation: null, error: null, asking: false });
    paint();
  };

  /** What is asked; null where the form holds no request, which is shown as any other failure. */
  const request = () => {
    try {
      return asked(state);
    } catch (error) {
      telling?.abort();
      Object.assign(state, { evaluation: null, error, asking: false, told: wording(state) });
      paint();
      return null;
    }
  };

  async function explain() {
    const wanted = request();
    if (!wanted) return;
    const now = wording(state);
    if (state.sent !== now) halt(); // it answers another prompt
    telling?.abort();
    const { signal } = telling = new AbortController();
    state.told = now;
    reading.replaceChildren(waiting());
    context.asking?.(wanted);
    await evaluate(state, wanted, signal);
    if (!signal.aborted) paint();
  }
  async function send() {
    const wanted = request();
    if (!wanted) return;
    halt();
    const mine = running = new AbortController();
    state.sent = wording(state);
    form.busy(true);
    explain();
    settled = chat({ ...wanted, max_tokens: MOST_TOKENS }, mine.signal, (answer) => {
      if (running !== mine) return;
      state.answer = answer;
      if (!answer.done) { update(answer); return; }
      after();
      announce(answer.error || t("answer.ended"));
      context.typed(); // what it cost can be compared now
    });
    await settled;
    if (running === mine) form.busy(false);
  }

  const form = composer(state, label, context.names, { explain, send, stop: () => running?.abort(), typed, anew });
  paint();
  const element = h("section", { class: "lane", "aria-label": label },
    h("div", { class: "asking" }, context.titled ? h("h2", {}, label) : null, form.element, body, rest), reading);
  /** Ends what is under way; the answer is told as stopped once the promise is kept. A lane of the same state asks again what it explains. */
  const leave = () => {
    telling?.abort();
    running?.abort();
    return settled;
  };
  return { element, explain, ask: form.ask, leave };
}

/** What a lane asks the router. Throws where the tools are no list. */
export function asked(state) {
  const tools = listed(state.tools);
  if (!tools) throw new Error(`${t("composer.tools")}: ${t("composer.no_list")}`);
  return { messages: spoken(state), ...(state.model ? { model: state.model } : {}), ...(tools.length ? { tools } : {}) };
}

const spoken = ({ messages }) => messages.filter((message) => message.content || message.role !== "user" || messages.length === 1);

/** The same for the same request, whether it can be asked or not. */
const wording = (state) => JSON.stringify([spoken(state), state.model, state.tools.trim()]);

/** Ask what the router would do, and keep what it tells; not if `signal` says by then that nobody wants it. */
export async function evaluate(state, body, signal) {
  Object.assign(state, { evaluation: null, error: null, asking: true }); // what was told before is of another request
  try {
    const told = await json("api/v1/eval", { method: "POST", body, signal });
    if (signal.aborted) return;
    Object.assign(state, { evaluation: told, asking: false });
    announce(t("lane.told", { decision: told.routing_decision || "–", model: told.selected_model }));
  } catch (error) {
    if (!signal.aborted) Object.assign(state, { error, asking: false });
  }
}

/** Says that what stands below is not of what is typed now; hidden until it is so. */
export const outdated = (key) => h("p", { hidden: true }, h("span", { class: "tag warn" }, t(key)));

/** What a lane shows of what it was told. */
export function shown({ evaluation, error }) {
  if (error) return [failed(error)];
  if (!evaluation) return [nothing(t("lane.empty"))];
  return [outcome(evaluation), signals(evaluation), decisions(evaluation), guards(evaluation), edits(evaluation)].filter(Boolean);
}
