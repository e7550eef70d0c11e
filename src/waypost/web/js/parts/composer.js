// The form of a lane: messages, the model's name, tools.

import { h } from "../dom.js";
import { t } from "../i18n.js";

export const ROLES = ["system", "user", "assistant", "tool"];
const SAMPLES = ["math", "code", "personal", "attack"];

/** `does`: {explain, send, stop, typed, anew}. */
export function composer(state, label, names, does) {
  const messages = h("div", { class: "messages" });
  const send = h("button", { class: "button primary", type: "submit" }, t("composer.send"));
  const stop = h("button", { class: "button", type: "button", hidden: true, onclick: does.stop }, t("composer.stop"));
  const ask = () => form.reportValidity() && does.explain();
  const explain = h("button", { class: "button", type: "button", onclick: ask }, t("composer.explain"));
  const refresh = () => {
    messages.replaceChildren(...state.messages.map((message, i) => row(state, message, i, label, refresh, does)));
    messages.querySelector(".message:last-child textarea").focus({ preventScroll: true });
  };
  const submit = (event) => { event.preventDefault(); does.send(); };
  const keys = (event) => {
    if (event.key !== "Enter") return;
    if (event.ctrlKey || event.metaKey) form.requestSubmit();
    else if (event.repeat && event.target.tagName === "BUTTON") event.preventDefault(); // who holds the key means to send, not to stop
  };
  const form = h("form", { class: "card composer", onsubmit: submit, onkeydown: keys }, messages,
    samples(state, refresh, ask, does),
    h("div", { class: "row" }, send, stop, explain, h("span", { class: "grow" }),
      h("button", { class: "button quiet", type: "button", onclick: () => {
        state.messages.push({ role: "user", content: "" });
        refresh();
        does.typed();
      } }, t("composer.add"))),
    more(state, names, does));
  messages.replaceChildren(...state.messages.map((message, i) => row(state, message, i, label, refresh, does)));
  const busy = (now) => {
    const [shown, gone] = now ? [stop, send] : [send, stop], held = document.activeElement === gone;
    [shown.hidden, gone.hidden] = [false, true];
    if (held) shown.focus({ preventScroll: true }); // what is hidden loses the focus to the whole page
  };
  return { element: form, refresh, busy, ask };
}

function row(state, message, i, label, refresh, does) {
  const type = (event) => { message.content = event.target.value; does.typed(); };
  const alone = state.messages.length === 1 && message.role === "user";
  const area = h("textarea", { rows: alone ? 4 : 2, value: message.content, placeholder: t("composer.placeholder"), oninput: type, dir: "auto",
    "aria-label": alone ? label : t("composer.message", { n: i + 1 }), required: message.role === "user" && i === state.messages.length - 1 });
  if (alone) return h("div", { class: "message" }, area);
  const role = h("select", { class: "slim", "aria-label": t("composer.role", { n: i + 1 }), value: message.role,
    onchange: (event) => { message.role = event.target.value; does.typed(); } }, ROLES.map((each) => h("option", { value: each }, each)));
  const remove = h("button", { class: "button quiet slim", type: "button", "aria-label": t("composer.remove", { n: i + 1 }),
    onclick: () => { state.messages.splice(i, 1); refresh(); does.typed(); } }, "×");
  return h("div", { class: "message" }, h("div", { class: "row" }, role, h("span", { class: "grow" }), state.messages.length > 1 ? remove : null), area);
}

const samples = (state, refresh, ask, does) =>
  h("ul", { class: "chips", "aria-label": t("composer.samples") }, SAMPLES.map((name) =>
    h("li", {}, h("button", { class: "chip", type: "button", onclick: () => {
      state.messages = [{ role: "user", content: t(`sample.${name}`) }];
      refresh();
      does.anew();
      ask();
    } }, t(`sample.${name}.name`)))));

function more(state, names, does) {
  const model = h("select", { value: state.model, onchange: (event) => { state.model = event.target.value; does.typed(); } },
    h("option", { value: "" }, t("composer.first")), [...new Set([...names, state.model])].filter(Boolean).map((name) => h("option", { value: name }, name))); // a link may name any
  const judge = () => tools.setCustomValidity(listed(state.tools) ? "" : t("composer.no_list"));
  const tools = h("textarea", { rows: 3, class: "mono", spellcheck: "false", value: state.tools,
    placeholder: '[{"type": "function", "function": {"name": "…"}}]',
    oninput: () => { state.tools = tools.value; judge(); does.typed(); },
    oninvalid: () => { details.open = true; } }); // a browser cannot point at what is folded away
  judge(); // they may come from a link, or from before the page was left
  const details = h("details", { open: Boolean(state.model || state.tools) }, h("summary", {}, t("composer.more")),
    h("label", { class: "field" }, t("composer.model"), model), h("label", { class: "field" }, t("composer.tools"), tools));
  return details;
}

/** The list that a text is; none for no text, null for anything else. */
export function listed(text) {
  try {
    const found = JSON.parse(text.trim() || "[]");
    return Array.isArray(found) ? found : null;
  } catch {
    return null;
  }
}
