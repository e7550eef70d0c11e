// What the router makes of a prompt, or of two of them side by side.

import { json } from "../api.js";
import { announce, h } from "../dom.js";
import { duration } from "../format.js";
import { t } from "../i18n.js";
import { fresh, lane, shareable } from "../lane.js";
import { failed, head, table, waiting } from "../parts/states.js";
import { pack, parse, unpack } from "../share.js";

let lanes = [fresh()];
let opened = "";

export function show(main, title, shared) {
  const linked = shared && shared !== opened ? unpack(shared) : null;
  if (Array.isArray(linked) && linked.length) lanes = linked.slice(0, 2).map(fresh);
  const place = h("div", {}, waiting());
  const compare = h("button", { class: "button", type: "button", "aria-pressed": String(lanes.length > 1) }, t("playground.compare"));
  const copy = h("button", { class: "button", type: "button", onclick: () => copyLink(copy) }, t("playground.copy"));
  main.append(head(title, t("playground.lead"), compare, copy), place);
  let leave = () => {};
  const open = (context) => {
    leave = lay(place, context, Boolean(linked));
    compare.onclick = () => {
      leave();
      lanes = lanes.length > 1 ? lanes.slice(0, 1) : [lanes[0], fresh(shareable(structuredClone(lanes[0])))];
      compare.setAttribute("aria-pressed", String(lanes.length > 1));
      leave = lay(place, context, false);
    };
  };
  Promise.all([json("config/router"), json("v1/models")])
    .then(([stored, names]) => open({ config: stored.config, names: names.data.map((each) => each.id) }))
    .catch((error) => place.replaceChildren(failed(error)));
  return () => leave();
}

function lay(place, context, run) {
  const difference = h("div", { class: "difference" });
  const changed = () => {
    remember();
    difference.replaceChildren(...(lanes.length > 1 ? compared(lanes) : []));
  };
  const labels = lanes.length > 1 ? [t("playground.a"), t("playground.b")] : [t("playground.prompt")];
  const open = lanes.map((state, i) => lane(state, labels[i], { ...context, changed, titled: lanes.length > 1 }));
  place.replaceChildren(difference, h("div", { class: lanes.length > 1 ? "lanes two" : "lanes" }, open.map((each) => each.element)));
  if (run) for (const each of open) each.explain();
  return () => open.forEach((each) => each.leave());
}

function remember() {
  if (!["", "playground"].includes(parse(location.hash)[0])) return; // an answer came in after the page was left
  const said = lanes.some((each) => each.messages.some((message) => message.content));
  opened = said ? pack(lanes.map(shareable)) : "";
  history.replaceState(null, "", said ? `#/playground?s=${opened}` : "#/playground");
}

async function copyLink(button) {
  await navigator.clipboard?.writeText(location.href).catch(() => {});
  button.textContent = t("playground.copied");
  announce(t("playground.copied"));
  setTimeout(() => { button.textContent = t("playground.copy"); }, 2000);
}

const ROWS = {
  "compare.decision": (each) => each.routing_decision || "–",
  "compare.model": (each) => (each.blocked ? "–" : each.selected_model),
  "compare.category": (each) => each.decision_result?.category || "–",
  "compare.guards": (each) => each.verdicts.map((one) => `${one.guard}: ${one.action}`).join(", ") || "–",
  "compare.time": (each) => duration(each.metrics.total / 1000),
};

function compared(states) {
  const told = states.map((each) => each.evaluation);
  if (told.includes(null)) return [];
  const rows = Object.entries(ROWS).map(([name, of]) => {
    const [a, b] = told.map(of);
    const differs = a !== b && name !== "compare.time";
    return h("tr", { class: differs ? "differs" : "" }, h("th", { scope: "row" }, t(name)), h("td", {}, a),
      h("td", {}, b, differs ? h("span", { class: "tag accent" }, t("compare.differs")) : null));
  });
  return [h("section", { class: "card" }, h("h2", {}, t("compare.title")),
    table(t("compare.title"), ["", t("playground.a"), t("playground.b")], rows))];
}
