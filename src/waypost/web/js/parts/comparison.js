// Two evaluations side by side, with what differs said and marked.

import { h } from "../dom.js";
import { duration, money, percent, score } from "../format.js";
import { t } from "../i18n.js";
import { card, table, truth } from "./states.js";

const ROWS = {
  "compare.decision": ({ evaluation }) => evaluation.routing_decision || "–",
  "compare.model": ({ evaluation }) => (evaluation.blocked ? t("outcome.blocked") : evaluation.selected_model),
  "compare.reasoning": ({ evaluation }) => evaluation.reasoning === null ? "–" : t(evaluation.reasoning ? "outcome.reasoning" : "outcome.no_reasoning"),
  "compare.prompt": ({ evaluation }) => evaluation.system_prompt ?? "–",
  "compare.category": ({ evaluation }) => evaluation.decision_result?.category || "–",
  "compare.guards": ({ evaluation }) => evaluation.verdicts.map((one) => `${one.guard}: ${t(`guards.${one.action}`)}`).join(", ") || "–",
  "compare.cost": cost,
};

/** `lanes`: two of {evaluation, answer}; null until both were told something. `sum` says how much differs. */
export function comparison(lanes, names) {
  if (lanes.some((each) => !each.evaluation)) return null;
  const usage = lanes.map((each) => each.answer?.usage).find(Boolean);
  const told = lanes.map((each) => ({ evaluation: each.evaluation, usage: each.answer?.usage ?? usage }));
  const rows = Object.entries(ROWS).map(([name, of]) => {
    const [a, b] = told.map(of);
    return { name: t(name), a, b, differs: a !== b };
  });
  rows.push(...signals(lanes.map((each) => each.evaluation)));
  const count = rows.filter((row) => row.differs).length;
  const [a, b] = lanes.map((each) => duration(each.evaluation.metrics.total / 1000));
  rows.push({ name: t("compare.time"), a, b, differs: false });
  const title = t("compare.title"), sum = count ? t("compare.count", { n: count }) : t("compare.none");
  const element = card(title, h("p", { class: "quiet small" }, sum), table(title, ["", ...names], rows.map(shown)));
  element.classList.add("comparison");
  return { element, sum };
}

const shown = ({ name, a, b, differs }) => h("tr", { class: differs ? "differs" : "" }, h("th", { scope: "row" }, name), h("td", {}, a),
  h("td", {}, b, differs ? [" ", h("span", { class: "tag accent" }, t("compare.differs"))] : null));

/** What is paid for the same tokens, or for a million of them while there is no answer; and against the default model. */
function cost({ evaluation, usage }) {
  const { price, baseline_price: base, baseline_model: name } = evaluation;
  if (evaluation.blocked || !price) return "–";
  const of = (each) => (usage ? (usage.prompt_tokens * each.prompt_per_1m + usage.completion_tokens * each.completion_per_1m) / 1e6 : each.prompt_per_1m + each.completion_per_1m);
  const own = usage ? money(of(price), price.currency)
    : t("compare.price", { prompt: money(price.prompt_per_1m), completion: money(price.completion_per_1m), currency: price.currency });
  const part = base?.currency === price.currency && of(base) ? 1 - of(price) / of(base) : 0;
  return part ? `${own} (${t(part > 0 ? "compare.below" : "compare.above", { part: percent(Math.abs(part)), model: name })})` : own;
}

const named = (row) => (row.name ? `${row.signal} · ${row.name}` : row.signal);

/** The thresholds that are not the same, and the signals that hold in one and not in the other. */
function signals(evaluations) {
  const row = (name, a, b, of) => ({ name, a: a === undefined ? "–" : of(a), b: b === undefined ? "–" : of(b), differs: true });
  const pairs = (key, value, differ) => {
    const [a, b] = evaluations.map((each) => new Map(each.signals.map((one) => [key(one), value(one)])));
    return [...new Set([...a.keys(), ...b.keys()])].map((name) => [name, a.get(name), b.get(name)]).filter(([, one, other]) => differ(one, other));
  };
  const thresholds = pairs((one) => one.signal, (one) => one.threshold, (one, other) => one !== undefined && other !== undefined && one !== other);
  const truths = pairs(named, (one) => one, (one, other) => (one && other ? one.truth !== other.truth : (one ?? other).truth !== false));
  return [...thresholds.map(([kind, a, b]) => row(t("compare.threshold", { kind }), a, b, score)),
    ...truths.map(([name, a, b]) => row(name, a, b, measured))];
}

const measured = (row) => [truth(row.truth), row.score === null ? "" : ` ${score(row.score)}${row.threshold === null ? "" : ` / ${score(row.threshold)}`}`];
