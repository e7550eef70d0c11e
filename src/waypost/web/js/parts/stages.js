// Where the time goes: the median and the 95th percentile of each stage, on one logarithmic scale.

import { h } from "../dom.js";
import { duration } from "../format.js";
import { t } from "../i18n.js";
import { quantile } from "../promtext.js";

const LEAST = -5, MOST = 2; // powers of ten, in seconds
const at = (seconds) => Math.min(1, Math.max(0, (Math.log10(seconds) - LEAST) / (MOST - LEAST)));

const SIGNALS = "llm_signal_extraction_latency_seconds";
const WHOLE = {
  decide: "llm_decision_evaluation_latency_seconds",
  routing: "llm_model_routing_latency_seconds",
  first: "llm_model_ttft_seconds",
  answer: "llm_model_completion_latency_seconds",
};

/** `grown(name, labels)`: what was added to the samples of a metric. */
export function stages(grown) {
  const kinds = [...new Set(grown(`${SIGNALS}_bucket`).map(({ labels }) => labels.signal_type))];
  const rows = [
    ...kinds.map((kind) => [t("stage.signal", { kind }), grown(`${SIGNALS}_bucket`, { signal_type: kind })]),
    ...Object.entries(WHOLE).map(([name, metric]) => [t(`stage.${name}`), grown(`${metric}_bucket`)]),
  ].map(([name, buckets]) => [name, quantile(buckets, 0.5), quantile(buckets, 0.95)]).filter(([, half]) => Number.isFinite(half));
  return h("ul", { class: "stages" }, rows.map(([name, half, most]) => h("li", {},
    h("span", { class: "name" }, name),
    h("span", { class: "amount" }, `${duration(half)} – ${duration(most)}`),
    h("span", { class: "range", "aria-hidden": "true", vars: { "--from": at(half), "--to": at(most) } }))));
}
