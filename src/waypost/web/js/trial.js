// The lane of a configuration that is tried on the other lane's prompt, and never put in force.

import { h } from "./dom.js";
import { t } from "./i18n.js";
import { evaluate, outdated, shown } from "./lane.js";
import { plain } from "./line-ends.js";
import { difference } from "./parts/difference.js";
import { editor } from "./parts/editor.js";
import { waiting } from "./parts/states.js";

const LINE = /^config:(\d+):/gm;

export const freshTrial = (config) => ({ config: plain(config), evaluation: null, error: null, asking: false, told: "" });

/** `context`: {text: of the file, changed(), typed(), ask()}; returns its element and what the page may have it do. */
export function trial(state, label, context) {
  const reading = h("div", { class: "reading" }), change = h("div", {}), earlier = outdated("trial.earlier");
  let telling = null;
  const compare = () => {
    change.replaceChildren(difference(context.text, state.config) ?? h("p", { class: "note" }, t("trial.same")));
    earlier.hidden = !(state.evaluation || state.error) || state.told === state.config;
  };
  const paint = () => {
    reading.replaceChildren(earlier, ...shown(state));
    compare();
    edit.mark([...(state.error?.message ?? "").matchAll(LINE)].map((match) => Number(match[1])));
    context.changed();
  };
  const edit = editor(label, state.config, { typed: (text) => { state.config = text; compare(); context.typed(); }, moved: () => {} });
  const drop = () => { state.config = edit.area.value = context.text; edit.paint(); compare(); context.typed(); };
  edit.area.addEventListener("keydown", (event) => { if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) context.ask(); });

  async function explain(body) {
    telling?.abort();
    const { signal } = telling = new AbortController();
    state.told = state.config;
    reading.replaceChildren(waiting());
    await evaluate(state, { ...body, config: state.config }, signal);
    if (!signal.aborted) paint();
  }

  paint();
  const element = h("section", { class: "lane", "aria-label": label }, h("div", { class: "asking" }, h("h2", {}, label),
    h("section", { class: "card trying" }, edit.element, h("div", { class: "row" },
      h("button", { class: "button primary", type: "button", onclick: context.ask }, t("trial.try")),
      h("button", { class: "button quiet", type: "button", onclick: drop }, t("config.drop"))), h("p", { class: "note" }, t("trial.note"))),
    change), reading);
  return { element, explain, leave: () => telling?.abort() };
}
