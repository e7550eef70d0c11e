// The servers of the pool, as Envoy finds them.

import { json } from "../api.js";
import { h } from "../dom.js";
import { compact } from "../format.js";
import { t } from "../i18n.js";

const EVERY = 5000;
const COLOURS = { healthy: "good", ejected: "bad", failed_check: "bad", unknown: "quiet" };

/** Call `tell(models)` now and every few seconds while the page is looked at, `tell(null)` when nobody knows; returns what ends it. */
export function watchEndpoints(tell) {
  let timer = 0, over = false;
  const look = async () => {
    const found = document.hidden ? undefined : await json("info/endpoints").catch(() => null);
    if (over) return;
    if (found !== undefined) tell(found?.models ?? null);
    timer = setTimeout(look, EVERY);
  };
  look();
  return () => { over = true; clearTimeout(timer); };
}

/** Each server of a model: its state as a word beside a dot, and what became of its requests. */
export const endpoints = (model) => h("ul", { class: "servers" }, model.endpoints.map((each) => h("li", {},
  h("span", { class: `dot ${COLOURS[each.state]}`, "aria-hidden": "true" }), h("code", {}, each.url),
  h("p", {}, h("span", { class: COLOURS[each.state] }, t(`endpoint.${each.state}`)),
    each.requests ? h("span", { class: "quiet" }, ` · ${t("endpoint.counts", { requests: compact(each.requests), errors: compact(each.errors) })}`) : null))));
