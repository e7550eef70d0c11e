// The last decision records.

import { json } from "../api.js";
import { h } from "../dom.js";
import { clock, duration, money, moment, number } from "../format.js";
import { t } from "../i18n.js";
import { facts, failed, head, nothing, table, waiting } from "../parts/states.js";

const MOST = 200;
const SNIPPET = "observability:\n  records:\n    path: records.jsonl";
const COLUMNS = ["time", "requested", "decision", "model", "status", "guards", "tokens", "cost", "own", "total"];

export function show(main, title) {
  const place = h("div", {}, waiting());
  const again = h("button", { class: "button", type: "button", onclick: () => load(place) }, t("records.again"));
  main.append(head(title, t("records.lead"), again), place);
  load(place);
}

async function load(place) {
  try {
    const { path, records } = await json(`api/v1/records?limit=${MOST}`);
    if (path === null) place.replaceChildren(nothing(t("records.off"), h("pre", { class: "snippet" }, SNIPPET), h("p", { class: "quiet" }, t("records.private"))));
    else if (!records.length) place.replaceChildren(nothing(t("records.none", { path })));
    else place.replaceChildren(...listed(path, records));
  } catch (error) {
    place.replaceChildren(failed(error));
  }
}

function listed(path, records) {
  const body = h("div", {}), count = h("p", { class: "quiet small", role: "status" });
  const narrow = (wanted) => {
    const found = records.filter((each) => matches(each, wanted));
    count.textContent = t("records.count", { n: number(found.length), path });
    body.replaceChildren(table(t("nav.records"), COLUMNS.map((name) => t(`records.${name}`)), found.flatMap(rows)));
  };
  const filter = h("input", { type: "search", oninput: (event) => narrow(event.target.value.trim().toLowerCase()) });
  narrow("");
  return [h("div", { class: "row tools" }, h("label", { class: "field inline" }, t("records.filter"), filter), count), body];
}

const matches = (record, wanted) => wanted.split(/\s+/).every((word) =>
  [record.decision, record.model, record.requested, record.error, record.id, String(record.status), ...(record.guards ?? []).map((each) => `${each.guard} ${each.action}`)]
    .some((value) => value?.toLowerCase().includes(word)));

function rows(record) {
  const detail = h("tr", { class: "detail", hidden: true }, h("td", { colspan: COLUMNS.length }, details(record)));
  const open = h("button", { class: "link", type: "button", "aria-expanded": "false", title: moment(record.time) }, clock(record.time));
  open.addEventListener("click", () => { detail.hidden = !detail.hidden; open.setAttribute("aria-expanded", String(!detail.hidden)); });
  const cost = record.cost ? money(record.cost[1], record.cost[0]) : "–";
  return [h("tr", {}, h("th", { scope: "row" }, open), h("td", {}, record.requested ?? "–"), h("td", {}, record.decision || "–"), h("td", {}, record.model ?? "–"),
    h("td", {}, h("span", { class: `tag ${tone(record)}` }, record.error ?? (record.aborted ? t("records.aborted") : record.status) ?? "–")),
    h("td", {}, (record.guards ?? []).map((each) => `${each.guard}: ${each.action}`).join(", ") || "–"),
    h("td", {}, record.tokens?.map((each) => number(each)).join(" + ") ?? "–"), h("td", {}, cost),
    h("td", {}, duration(record.seconds?.router)), h("td", {}, duration(record.seconds?.total))), detail];
}

const tone = (record) => (record.status >= 500 ? "bad" : record.status >= 400 || record.aborted ? "warn" : "good");

const details = (record) => facts([
  [t("records.id"), record.id && h("code", {}, record.id)],
  [t("records.trace"), record.trace && h("code", {}, record.trace)],
  [t("records.config"), h("code", {}, record.of)],
  [t("records.selection"), record.selection],
  [t("records.confidence"), record.confidence?.toFixed(2)],
  ...Object.entries(record.signals ?? {}).map(([kind, signal]) => [kind, signal.unknown ?? (scores(signal) || "–")]),
  ...(record.guards ?? []).map((each) => [each.guard, each.error || Object.entries(each.found).map(([name, value]) => `${name} ${value.toFixed(2)}`).join(", ")]),
]);

const scores = (signal) => {
  const best = Object.entries(signal.scores ?? {}).sort((a, b) => b[1] - a[1]).slice(0, 4).map(([name, value]) => `${name} ${Number(value.toFixed(2))}`);
  return (best.length ? best : (signal.matched ?? [])).join(", ");
};
