// The last decision records.

import { json } from "../api.js";
import { h } from "../dom.js";
import { duration, lately, money, moment, number } from "../format.js";
import { t } from "../i18n.js";
import { facts, failed, head, nothing, table, waiting } from "../parts/states.js";

const MOST = 200;
const SNIPPET = "observability:\n  records:\n    path: records.jsonl";
const COLUMNS = ["time", "requested", "decision", "model", "status", "guards", "cache", "tokens", "cost", "own", "total"];

let wanted = ""; // the filter, kept when the records are read again

export function show(main, title) {
  const place = h("div", {}, waiting());
  const load = () => read(place, load);
  const again = h("button", { class: "button", type: "button", onclick: load }, t("records.again"));
  main.append(head(title, t("records.lead"), again), place);
  load();
}

async function read(place, again) {
  try {
    const { path, records } = await json(`api/v1/records?limit=${MOST}`);
    if (path === null) place.replaceChildren(nothing(t("records.off"), h("pre", { class: "snippet" }, SNIPPET), h("p", { class: "quiet" }, t("records.private"))));
    else if (!records.length) place.replaceChildren(nothing(t("records.none", { path })));
    else place.replaceChildren(...listed(path, records));
  } catch (error) {
    place.replaceChildren(failed(error, again));
  }
}

function listed(path, records) {
  const count = h("p", { class: "quiet small", role: "status" });
  const lines = records.map((record) => ({ record, shown: rows(record) }));
  const whole = table(t("nav.records"), COLUMNS.map((name) => t(`records.${name}`)), []), body = whole.querySelector("tbody");
  const narrow = () => {
    const words = wanted.trim().toLowerCase().split(/\s+/);
    const found = lines.filter((line) => matches(line, words));
    count.textContent = t(found.length < lines.length ? "records.found" : "records.count", { n: number(found.length), all: number(lines.length), path });
    body.replaceChildren(...found.flatMap(({ shown }) => shown));
  };
  const filter = h("input", { type: "search", value: wanted, oninput: () => { wanted = filter.value; narrow(); } });
  narrow();
  return [h("div", { class: "row tools" }, h("label", { class: "field inline" }, t("records.filter"), filter), count), whole];
}

/** Every word stands in what the row shows, or in what the record calls it. */
function matches({ record, shown: [row] }, words) {
  const said = [...row.cells].map((cell) => cell.textContent);
  const text = [...said, record.error, record.id, record.status, ...(record.guards ?? []).map((each) => `${each.guard} ${each.action}`)].join("\n").toLowerCase();
  return words.every((word) => text.includes(word));
}

function rows(record) {
  const detail = h("tr", { class: "detail", hidden: true }, h("td", { colspan: COLUMNS.length }, details(record)));
  const open = h("button", { class: "link", type: "button", "aria-expanded": "false", title: moment(record.time) }, lately(record.time));
  open.addEventListener("click", () => { detail.hidden = !detail.hidden; open.setAttribute("aria-expanded", String(!detail.hidden)); });
  const cost = record.cost ? money(record.cost[1], record.cost[0]) : "–";
  return [h("tr", {}, h("th", { scope: "row" }, open), h("td", {}, record.requested ?? "–"), h("td", {}, record.decision || "–"), h("td", {}, record.model ?? "–"),
    h("td", {}, h("span", { class: `tag ${tone(record)}` }, record.error ?? (record.aborted ? t("records.aborted") : record.status) ?? "–")),
    h("td", {}, (record.guards ?? []).map((each) => `${each.guard}: ${each.action}`).join(", ") || "–"),
    h("td", {}, record.cache ? cached(record.cache) : "–"),
    h("td", {}, record.tokens?.map((each) => number(each)).join(" + ") ?? "–"), h("td", {}, cost),
    h("td", {}, duration(record.seconds?.router)), h("td", {}, duration(record.seconds?.total))), detail];
}

const cached = ({ hit, reason }) => `${t(hit ? "records.hit" : "records.miss")} · ${reason}`;

const tone = (record) => (record.status >= 500 ? "bad" : record.status >= 400 || record.aborted ? "warn" : "good");

const details = (record) => facts([
  [t("records.id"), record.id && h("code", {}, record.id)],
  [t("records.trace"), record.trace && h("code", {}, record.trace)],
  [t("records.config"), h("code", {}, record.of)],
  [t("records.selection"), record.selection],
  [t("records.confidence"), record.confidence?.toFixed(2)],
  [t("records.similarity"), record.cache?.similarity?.toFixed(3)],
  ...Object.entries(record.signals ?? {}).map(([kind, signal]) => [kind, signal.unknown ?? (scores(signal) || "–")]),
  ...(record.guards ?? []).map((each) => [each.guard, each.error || Object.entries(each.found).map(([name, value]) => `${name} ${value.toFixed(2)}`).join(", ")]),
]);

const scores = (signal) => {
  const best = Object.entries(signal.scores ?? {}).sort((a, b) => b[1] - a[1]).slice(0, 4).map(([name, value]) => `${name} ${Number(value.toFixed(2))}`);
  return (best.length ? best : (signal.matched ?? [])).join(", ");
};
