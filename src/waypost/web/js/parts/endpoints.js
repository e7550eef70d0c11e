// The servers of the pool, as Envoy finds them.

import { PATIENCE, json } from "../api.js";
import { h } from "../dom.js";
import { compact } from "../format.js";
import { t } from "../i18n.js";

const EVERY = 5000;
const COLOURS = { healthy: "good", ejected: "bad", failed_check: "bad", unknown: "quiet", unasked: "quiet" };

/** Call `tell(models)` now and every few seconds while the page is looked at, `tell(null)` when nobody knows; returns what ends it.
 *  `checked`: the pool as configured, where it is known. */
export function watchEndpoints(tell, checked = null) {
  let timer = 0, over = false;
  const ask = (path) => json(path, { timeout: PATIENCE }).catch(() => null);
  const look = async () => {
    if (!document.hidden) {
      checked ??= (await ask("config/router"))?.config.models;
      const found = await ask("info/endpoints");
      if (over) return;
      tell(found && checked ? found.models.map((model) => seen(model, checked[model.name]?.health_check)) : null);
    }
    if (!over) timer = setTimeout(look, EVERY);
  };
  look();
  return () => { over = true; clearTimeout(timer); };
}

/** Envoy takes for healthy what it has nothing against: without a request and without a health check nobody knows. */
const seen = (model, check) => (check ? model : { ...model, endpoints: model.endpoints.map((each) =>
  (each.state === "healthy" && !each.requests && !each.connect_failures ? { ...each, state: "unasked" } : each)) });

/** Each server of a model: its state as a word beside a dot, and what became of its requests. */
export const endpoints = (model) => h("ul", { class: "servers" }, model.endpoints.map((each) => h("li", {},
  h("span", { class: `dot ${COLOURS[each.state]}`, "aria-hidden": "true" }), h("code", {}, each.url),
  h("p", {}, h("span", { class: COLOURS[each.state] }, t(`endpoint.${each.state}`)),
    each.requests ? h("span", { class: "quiet" }, ` · ${t("endpoint.counts", { requests: compact(each.requests), errors: compact(each.errors) })}`) : null))));
