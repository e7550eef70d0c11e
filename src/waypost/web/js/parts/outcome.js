// Where a request goes, in one look: the decision, the model, and why.

import { h } from "../dom.js";
import { duration } from "../format.js";
import { t } from "../i18n.js";
import { card, facts } from "./states.js";

export function outcome(evaluation) {
  const result = evaluation.decision_result;
  const name = evaluation.routing_decision || t(result ? "outcome.default" : "outcome.named");
  const blocked = evaluation.blocked;
  return h("section", { class: `outcome ${blocked ? "blocked" : ""}` },
    h("h2", { class: "unseen" }, t("outcome.title")),
    h("p", { class: "way" }, h("span", { class: "decision" }, name), h("span", { class: "arrow", "aria-hidden": "true" }, "→"),
      h("span", { class: "model" }, blocked ? t("outcome.blocked") : evaluation.selected_model)),
    h("p", { class: "quiet small" }, about(evaluation, result)),
    result?.reasons.length ? h("ul", { class: "reasons" }, result.reasons.map((reason) => h("li", {}, reason))) : null,
    result?.rejected.length ? h("details", {}, h("summary", {}, t("outcome.rejected", { n: result.rejected.length })),
      h("ul", { class: "reasons" }, result.rejected.map((line) => h("li", {}, line)))) : null);
}

function about(evaluation, result) {
  const parts = [evaluation.selection_reason];
  if (result?.decision_name) parts.unshift(t("outcome.confidence", { value: result.confidence.toFixed(2) }));
  if (result?.category) parts.unshift(result.category);
  if (evaluation.reasoning !== null)
    parts.push(t(evaluation.reasoning ? "outcome.reasoning" : "outcome.no_reasoning") + (evaluation.effort ? ` (${evaluation.effort})` : ""));
  parts.push(duration(evaluation.metrics.total / 1000));
  return parts.filter(Boolean).join(" · ");
}

/** What is changed on the way to the model. */
export function edits(evaluation) {
  const masked = evaluation.masked_messages;
  const renamed = evaluation.served_as === evaluation.selected_model ? null : h("code", {}, evaluation.served_as);
  if (evaluation.blocked || (!masked && !renamed && !evaluation.system_prompt)) return null;
  return card(t("edits.title"), facts([
    [t("edits.served_as"), renamed],
    [t("edits.prompt"), evaluation.system_prompt && h("q", { dir: "auto" }, evaluation.system_prompt)],
  ]), masked ? [h("h3", {}, t("edits.masked")), masked.map((message) => h("div", { class: "said" },
    h("span", { class: "tag" }, message.role), h("pre", { dir: "auto" }, marked(text(message.content)))))] : null);
}

const text = (content) => typeof content === "string" ? content : (content ?? []).map((part) => part.text ?? "").join("\n");

const marked = (shown) => shown.split(/(<[A-Z_]+_\d+>)/).map((part, i) => (i % 2 ? h("mark", {}, part) : part));
