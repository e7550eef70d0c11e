// A request's way through the router, drawn and walked for a sample prompt.

import { json } from "../api.js";
import { announce, h } from "../dom.js";
import { duration } from "../format.js";
import { t } from "../i18n.js";
import { failed, head, waiting } from "../parts/states.js";
import { map } from "../parts/map.js";

let prompt = "";

export function show(main, title) {
  const place = h("div", {});
  let over = false, leave = () => {};
  const load = () => {
    place.replaceChildren(waiting());
    json("config/router")
      .then(({ config }) => { if (!over) leave = walk(place, config); })
      .catch((error) => place.replaceChildren(failed(error, load)));
  };
  main.append(head(title, t("topology.lead")), place);
  load();
  return () => { over = true; leave(); };
}

function walk(place, config) {
  const stage = h("figure", { class: "map" }), told = h("ol", { class: "steps" }), trouble = h("div", {});
  const input = h("input", { value: prompt || t("sample.math"), required: true, class: "grow", "aria-label": t("playground.prompt") });
  let evaluation = null, drawn = null;
  const draw = (moving) => {
    drawn?.stop();
    drawn = map(config, evaluation, stage.clientWidth || 900);
    stage.replaceChildren(drawn.element);
    if (moving) drawn.go();
  };
  const send = async (event) => {
    event?.preventDefault();
    prompt = input.value;
    try {
      evaluation = await json("api/v1/eval", { method: "POST", body: { text: prompt } });
      trouble.replaceChildren();
      const steps = stepsOf(config, evaluation);
      told.replaceChildren(...steps.map(([name, text, time]) => h("li", {}, h("b", {}, name), h("span", {}, text), h("span", { class: "time" }, time ?? ""))));
      announce(steps.map(([name, text]) => `${name}: ${text}`).join(". "));
      draw(true);
    } catch (error) {
      trouble.replaceChildren(failed(error, send));
    }
  };
  place.replaceChildren(h("form", { class: "row tools", onsubmit: send }, input, h("button", { class: "button primary" }, t("topology.send"))), trouble, stage, told);
  const sizes = new ResizeObserver(([entry]) => { if (Math.abs(entry.contentRect.width - (drawn?.width ?? 0)) > 8) draw(false); });
  draw(false);
  sizes.observe(stage);
  send();
  return () => { sizes.disconnect(); drawn.stop(); };
}

/** [name, what happens, how long it takes] of each step, for the list below the picture. */
function stepsOf(config, found) {
  const ms = (name) => (found.metrics[name] === undefined ? "" : duration(found.metrics[name] / 1000));
  const used = found.decision_result?.used_signals ?? [];
  const guards = found.verdicts.map((each) => `${each.guard}: ${t(`guards.${each.action}`)} (${Object.keys(each.found).join(", ") || each.error})`);
  const steps = [
    [t("topology.envoy"), t("topology.envoy.does", { address: config.listeners.http })],
    [t("topology.signals"), used.length ? used.map((kind) => `${kind} ${ms(kind)}`).join(" · ") : t("topology.signals.none")],
    [t("topology.decide"), found.decision_result?.reasons.join("; ") || t("outcome.default"), ms("decide")],
    [t("topology.guard"), guards.join("; ") || t("topology.guard.clean")],
  ];
  if (found.blocked) return [...steps, [t("topology.client"), t("topology.blocked")]];
  return [...steps,
    [t("topology.select"), `${found.selected_model}: ${found.selection_reason}`],
    [t("topology.edit"), [found.system_prompt && t("topology.edit.prompt"), found.masked_messages && t("topology.edit.mask"),
      found.reasoning !== null && t(found.reasoning ? "outcome.reasoning" : "outcome.no_reasoning")].filter(Boolean).join(", ") || t("topology.edit.none")],
    [t("topology.model"), t("topology.model.does", { model: found.selected_model, name: found.served_as })]];
}
