// The pool behind the router, and the models inside it.

import { json } from "../api.js";
import { h } from "../dom.js";
import { bytes, duration, money, score } from "../format.js";
import { t } from "../i18n.js";
import { endpoints, watchEndpoints } from "../parts/endpoints.js";
import { card, facts, failed, head, waiting } from "../parts/states.js";
import { patch } from "../patch.js";

export function show(main, title) {
  const place = h("div", {});
  let over = false, leave = () => {};
  const fill = (model) => {
    const servers = document.getElementById(`servers-${model.name}`);
    if (servers) patch(servers, [endpoints(model)]);
  };
  const load = () => {
    place.replaceChildren(waiting());
    Promise.all([json("config/router"), json("info/models")])
      .then(([stored, inside]) => {
        place.replaceChildren(...shown(stored.config, inside));
        let last = [];
        if (!over) leave = watchEndpoints((models) => { last = models ?? last.map(unsure); last.forEach(fill); }, stored.config.models);
      })
      .catch((error) => place.replaceChildren(failed(error, load)));
  };
  main.append(head(title, t("models.lead")), place);
  load();
  return () => { over = true; leave(); };
}

/** Nobody knows any more how the servers are. */
const unsure = (model) => ({ ...model, endpoints: model.endpoints.map((each) => ({ ...each, state: "unknown" })) });

const shown = (config, inside) => [
  h("h2", { class: "above" }, t("models.pool")),
  h("div", { class: "grid" }, Object.entries(config.models).map(([name, model]) => pooled(name, model, config))),
  h("h2", { class: "above" }, t("models.inside")),
  h("div", { class: "columns" }, inside.models.map(own), system(inside.system)),
];

function pooled(name, model, config) {
  const used = config.routing.decisions.filter((each) => each.models.some((choice) => choice.model === name)).map((each) => each.name);
  const pricing = model.pricing;
  const element = card(name, facts([
    [t("models.served_as"), model.served_as && h("code", {}, model.served_as)],
    [t("models.endpoints"), h("div", { id: `servers-${name}` }, h("ul", {}, model.endpoints.map((each) => h("li", {}, h("code", {}, each.url)))))],
    [t("models.weights"), model.endpoints.length > 1 ? model.endpoints.map((each) => each.weight).join(" : ") : null],
    [t("models.reasoning"), model.reasoning_family],
    [t("models.price"), pricing && t("models.price.value", { currency: pricing.currency, prompt: money(pricing.prompt_per_1m), completion: money(pricing.completion_per_1m) })],
    [t("models.key"), model.api_key_env && h("code", {}, model.api_key_env)],
    [t("models.pii"), model.pii ? model.pii.allow.join(", ") || t("models.pii.none") : t("models.pii.all")],
    [t("models.used"), used.length ? h("ul", { class: "chips" }, used.map((each) => h("li", { class: "chip" }, each))) : t("models.unused")],
  ]));
  if (name === config.routing.default_model) element.querySelector("h2").append(" ", h("span", { class: "tag accent" }, t("models.default")));
  return element;
}

function own(model) {
  const element = card(model.name, facts([
    [t("models.type"), model.type],
    [t("models.source"), h("code", {}, model.model_path)],
    [t("models.size"), model.bytes && bytes(model.bytes)],
    [t("models.latency"), model.latency_ms && duration(model.latency_ms / 1000)],
    [t("models.threshold"), model.threshold === null ? null : score(model.threshold)],
  ]), model.categories.length ? [h("h3", {}, t("models.labels")), h("ul", { class: "chips" }, labels(model).map((each) => h("li", { class: "chip" }, each)))] : null);
  element.querySelector("h2").append(" ", h("span", { class: `tag ${model.loaded ? "good" : ""}` }, t(model.loaded ? "models.loaded" : "models.not_loaded")));
  return element;
}

/** What a model of tokens calls B-PERSON and I-PERSON is one thing to a reader. */
const labels = (model) => [...new Set(model.categories.map((each) => each.replace(/^[BI]-/, "")))].filter((each) => each !== "O");

const system = (found) => card(t("models.system"), facts([
  ["Python", found.python_version],
  [t("models.os"), `${found.os} ${found.architecture}`],
  [t("models.memory"), bytes(found.memory_usage)],
]));
