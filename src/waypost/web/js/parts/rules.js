// Every decision with the truth of each part of its rule.

import { h } from "../dom.js";
import { t } from "../i18n.js";
import { card, truth } from "./states.js";

export function decisions(evaluation) {
  if (!evaluation.decisions.length) return null;
  const winner = evaluation.decisions.findIndex((each) => each.name === evaluation.routing_decision);
  return card(t("rules.title"), h("p", { class: "quiet small" }, t("rules.lead")),
    h("ol", { class: "decisions" }, evaluation.decisions.map((each, i) => decision(each, i === winner, winner >= 0 && i > winner))));
}

const decision = (each, won, late) =>
  h("li", { class: won ? "won" : late ? "late" : "" },
    h("details", { open: won },
      h("summary", {}, truth(each.truth), h("span", { class: "name" }, each.name),
        won ? h("span", { class: "tag accent" }, t("rules.won")) : late ? h("span", { class: "tag" }, t("rules.late")) : null,
        h("span", { class: "priority", title: t("rules.priority") }, each.priority)),
      h("ul", { class: "rule" }, rule(each.rule))));

const always = (part) => part.rule === "all" && !part.parts?.length;

function rule(part) {
  if (always(part)) return h("li", {}, truth(part.truth), t("rules.always"));
  return h("li", {}, truth(part.truth), h("b", {}, part.rule), part.names?.length ? ` ${part.names.join(", ")}` : null,
    part.parts?.length ? h("ul", {}, part.parts.map(rule)) : null);
}
