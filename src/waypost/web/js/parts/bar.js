// Bars: a score against its threshold, a share of a whole.

import { h } from "../dom.js";

const clamp = (value) => Math.min(1, Math.max(0, value));

/** A score in [0, 1] with a mark at the threshold. What it says is said in numbers beside it. */
export const scoreBar = (score, threshold, holds) =>
  h("span", { class: `bar ${holds ? "holds" : ""}`, "aria-hidden": "true", vars: { "--to": clamp(score) } },
    threshold === null ? null : h("i", { vars: { "--at": clamp(threshold) } }));

/** Names with a value each, as bars of the greatest. */
export function barList(entries, format) {
  const sorted = [...entries].sort((a, b) => b[1] - a[1]);
  const most = Math.max(...sorted.map(([, value]) => value), 1e-12);
  return h("ul", { class: "bars" }, sorted.map(([name, value]) =>
    h("li", {}, h("span", { class: "name" }, name), h("span", { class: "amount" }, format(value)),
      h("span", { class: "bar data", "aria-hidden": "true", vars: { "--to": value / most } }))));
}
