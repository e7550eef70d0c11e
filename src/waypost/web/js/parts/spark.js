// A small area chart of one value over time.

import { s } from "../dom.js";

const WIDTH = 300, HEIGHT = 56;

/** `values`: oldest first; gaps are NaN. The text says what the picture shows. */
export function spark(values, text) {
  const most = Math.max(...values.filter(Number.isFinite), 1e-9);
  const step = WIDTH / Math.max(values.length - 1, 1);
  const points = values.map((value, i) => [i * step, HEIGHT - 2 - (Number.isFinite(value) ? value / most : 0) * (HEIGHT - 6)]);
  const line = points.map(([x, y], i) => `${i ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");
  return s("svg", { class: "spark", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img", "aria-label": text },
    points.length > 1 ? [
      s("path", { class: "area", d: `${line}L${WIDTH} ${HEIGHT}L0 ${HEIGHT}Z` }),
      s("path", { class: "line", d: line, "vector-effect": "non-scaling-stroke" }),
    ] : []);
}
