// What goes through the router now, from its own metrics.

import { h } from "../dom.js";
import { compact, duration, money, number, percent } from "../format.js";
import { t } from "../i18n.js";
import { barList } from "../parts/bar.js";
import { endpoints, watchEndpoints } from "../parts/endpoints.js";
import { patch, selected } from "../patch.js";
import { stages } from "../parts/stages.js";
import { spark } from "../parts/spark.js";
import { card, failed, head, nothing, table, waiting } from "../parts/states.js";
import { growth, quantile, sum, sumBy } from "../promtext.js";
import { shorter, since, watchMetrics } from "../watch.js";

const WINDOWS = { minute: 60, five: 300, start: 0 };
const FLOW = 10; // seconds that a point of a chart is the mean of

let chosen = "start";

export function show(main, title) {
  const place = h("div", { class: "grid" }, waiting());
  const period = h("p", { class: "quiet small", id: "period" });
  let last = [[], null], pool = null;
  const paint = (wanted = false) => {
    const [scrapes, error] = last;
    if (!(scrapes.length || error) || (selected(place) && !wanted)) return;
    const short = scrapes.length ? shorter(scrapes, WINDOWS[chosen]) : null;
    period.textContent = short === null ? "" : t("live.short", { n: number(Math.max(1, short)) });
    const notice = error && keyed(`failed ${error.status} ${error.message}`, failed(error));
    if (notice) notice.classList.add("wide");
    patch(place, [notice, ...(scrapes.length ? cards(scrapes, pool) : [])].filter(Boolean));
  };
  const choose = (event) => { chosen = event.target.value; paint(true); };
  const window = h("select", { "aria-label": t("live.window"), "aria-describedby": "period", value: chosen, onchange: choose },
    Object.keys(WINDOWS).map((name) => h("option", { value: name }, t(`live.${name}`))));
  main.append(head(title, t("live.lead"), period, window), place);
  const ends = [watchMetrics((scrapes, error) => { last = [scrapes, error]; paint(); }), watchEndpoints((models) => { pool = models; paint(); })];
  return () => ends.forEach((end) => end());
}

/** What the next painting knows as the same thing. */
function keyed(name, node) {
  node.dataset.key = name;
  return node;
}

function cards(scrapes, pool) {
  const now = scrapes.at(-1), then = since(scrapes, WINDOWS[chosen]);
  const grown = (name, labels = {}) => growth(now.families, then?.families, name)
    .filter((sample) => Object.entries(labels).every(([key, value]) => sample.labels[key] === value));
  if (!sum(grown("waypost_responses_total"))) return [tiles(scrapes, grown), keyed("nothing", nothing(t("live.nothing"))), health(pool)];
  return [
    tiles(scrapes, grown),
    h("div", { class: "columns", "data-key": "columns" },
      keyed("latency", card(t("live.latency"), h("p", { class: "quiet small" }, t("live.latency.lead")), stages(grown))),
      counts("live.decisions", grown("llm_decision_match_total"), ({ decision_name: name }) => name),
      guards(grown),
      counts("live.cache", grown("waypost_cache_results_total"), ({ result, reason }) => (reason ? `${result} · ${reason}` : result)),
      counts("live.errors", grown("llm_request_errors_total"), (labels) => `${labels.reason} · ${labels.model}`),
      counts("live.signals", grown("llm_signal_match_total"), (labels) => `${labels.signal_type} · ${labels.signal_name}`)),
    models(grown),
    health(pool),
  ];
}

function tiles(scrapes, grown) {
  const flow = flows(scrapes), requests = sum(grown("waypost_responses_total"));
  const wrong = sum(grown("waypost_responses_total").filter(({ labels }) => /^5/.test(labels.status)));
  const at = (name, q) => duration(quantile(grown(`${name}_bucket`), q));
  const active = sum(scrapes.at(-1).families.get("waypost_requests_active") ?? []);
  return h("dl", { class: "tiles", "data-key": "tiles" },
    tile(t("live.flow"), number(flow.at(-1), 1), spark(flow, t("live.flow.chart"))),
    tile(t("live.requests"), compact(requests), t("live.active", { n: number(active) })),
    tile(t("live.wrong"), requests ? percent(wrong / requests) : "–", t("live.wrong.about", { n: number(wrong) })),
    tile(t("live.own"), at("llm_model_routing_latency_seconds", 0.5), `p95 ${at("llm_model_routing_latency_seconds", 0.95)}`),
    tile(t("live.first"), at("llm_model_ttft_seconds", 0.5), `p95 ${at("llm_model_ttft_seconds", 0.95)}`),
    tile(t("live.saved"), ...saved(grown)));
}

const tile = (name, value, more) => h("div", { class: "tile" }, h("dt", {}, name), h("dd", {}, h("b", {}, value), h("span", { class: "quiet small" }, more)));

/** Requests a second at each scrape, as the mean of the last few. */
const flows = (scrapes) => scrapes.slice(1).map((each, i) => {
  const before = since(scrapes.slice(0, i + 2), FLOW);
  const grown = sum(growth(each.families, before.families, "waypost_responses_total"));
  return before === each ? NaN : grown / (each.time - before.time); // nobody looked for a while: begin again
});

function saved(grown) {
  const paid = sumBy(grown("llm_model_cost_total"), "currency"), base = sumBy(grown("waypost_baseline_cost_total"), "currency");
  const currency = [...base.keys()][0] ?? [...paid.keys()][0];
  if (!currency) return ["–", t("live.unpriced")];
  const cost = paid.get(currency) ?? 0;
  return [money((base.get(currency) ?? cost) - cost), t("live.paid", { currency, cost: money(cost) })];
}

function counts(name, samples, label) {
  const sums = new Map();
  for (const sample of samples) if (sample.value) sums.set(label(sample.labels), (sums.get(label(sample.labels)) ?? 0) + sample.value);
  return sums.size ? keyed(name, card(t(name), barList(sums, (value) => number(value)))) : null;
}

function guards(grown) {
  const found = grown("waypost_guard_verdicts_total"), errors = grown("waypost_guard_errors_total");
  return counts("live.guards", [...found, ...errors.map((each) => ({ ...each, labels: { ...each.labels, reason: t("live.cannot_tell") } }))],
    (labels) => `${labels.guard} · ${labels.reason} · ${t(`guards.${labels.action}`)}`);
}

/** Of every model, what its servers do. */
function health(pool) {
  if (!pool) return null;
  const wide = card(t("live.health"), h("dl", { class: "health" }, pool.map((model) => h("div", {}, h("dt", {}, model.name), h("dd", {}, endpoints(model))))));
  wide.classList.add("wide");
  return keyed("health", wide);
}

function models(grown) {
  const asked = sumBy(grown("llm_routing_reason_codes_total"), "model");
  if (!asked.size) return null;
  const tokens = sumBy(grown("llm_model_tokens_total"), "model");
  const costs = new Map(grown("llm_model_cost_total").map(({ labels, value }) => [labels.model, money(value, labels.currency)]));
  const at = (name, model, q) => duration(quantile(grown(`${name}_bucket`, { model }), q));
  const rows = [...asked].sort((a, b) => b[1] - a[1]).map(([model, count]) => h("tr", {},
    h("th", { scope: "row" }, model), h("td", {}, number(count)), h("td", {}, at("llm_model_ttft_seconds", model, 0.5)),
    h("td", {}, at("llm_model_completion_latency_seconds", model, 0.5)), h("td", {}, at("llm_model_completion_latency_seconds", model, 0.95)),
    h("td", {}, at("llm_model_tpot_seconds", model, 0.5)), h("td", {}, compact(tokens.get(model) ?? NaN)), h("td", {}, costs.get(model) ?? "–")));
  const names = ["model", "requests", "first", "answer50", "answer95", "token", "tokens", "cost"];
  const wide = card(t("live.models"), table(t("live.models"), names.map((name) => t(`live.models.${name}`)), rows));
  wide.classList.add("wide");
  return keyed("models", wide);
}
