// Every signal: its names with score, threshold and margin.

import { h } from "../dom.js";
import { duration, score, signed } from "../format.js";
import { t } from "../i18n.js";
import { scoreBar } from "./bar.js";
import { card, truth } from "./states.js";

const FEW = 3;
const ORDER = ["rule", "guard", "nobody"];

/** Who needed a signal of this kind: what nobody needed is measured for the explanation only. */
const askedBy = ({ decision_result: result }) => (kind) =>
  (result?.used_signals.includes(kind) ? "rule" : result?.guard_signals.includes(kind) ? "guard" : "nobody");

export function signals(evaluation) {
  const kinds = Map.groupBy(evaluation.signals, (row) => row.signal);
  const asked = askedBy(evaluation);
  const order = [...kinds.keys()].sort((a, b) => ORDER.indexOf(asked(a)) - ORDER.indexOf(asked(b)));
  if (!order.length) return null;
  return card(t("signals.title"), h("p", { class: "quiet small" }, t("signals.lead")),
    order.map((kind) => group(kind, kinds.get(kind), asked(kind), evaluation.metrics[kind])));
}

function group(kind, rows, asked, milliseconds) {
  const shown = rows.filter((row, i) => row.truth !== false || i < FEW);
  const rest = rows.filter((row) => !shown.includes(row));
  return h("section", { class: "signal" },
    h("h3", {}, h("span", {}, kind), asked === "rule" ? null : h("span", { class: "tag" }, t(`asked.${asked}`)),
      milliseconds === undefined ? null : h("span", { class: "time" }, duration(milliseconds / 1000))),
    list(shown), rest.length ? h("details", {}, h("summary", {}, t("signals.more", { n: rest.length })), list(rest)) : null);
}

const list = (rows) => h("ul", {}, rows.map(item));

function item(row) {
  if (!row.name) return h("li", { class: "whole" }, truth(row.truth), h("span", {}, row.note || t("truth.unknown")));
  const scored = row.score !== null && (row.threshold !== null || row.score <= 1) && row.signal !== "length";
  return h("li", {}, truth(row.truth), h("span", { class: "name" }, row.name),
    scored ? scoreBar(row.score, row.threshold, row.truth) : h("span", {}),
    h("span", { class: "amount", title: t("signals.score") }, measured(row)),
    h("span", { class: "margin", title: t("signals.margin") }, signed(row.margin)));
}

function measured(row) {
  if (row.score === null) return "";
  if (row.signal === "length") return t("signals.tokens", { n: Math.round(row.score) });
  return row.threshold === null ? score(row.score) : [score(row.score), h("span", { class: "quiet" }, ` / ${score(row.threshold)}`)];
}
