// What the router makes of a prompt; of two prompts side by side; or of one, by the configuration in force and another.

import { json } from "../api.js";
import { announce, h } from "../dom.js";
import { t } from "../i18n.js";
import { asked, fresh, lane, shareable } from "../lane.js";
import { comparison } from "../parts/comparison.js";
import { failed, head, waiting } from "../parts/states.js";
import { pack, parse, unpack } from "../share.js";
import { freshTrial, trial } from "../trial.js";

const MODES = ["prompts", "configs"];

let lanes = [fresh()];
let opened = "";

const isTrial = (state) => typeof state.config === "string";
const mode = () => (lanes.length < 2 ? "" : isTrial(lanes[1]) ? "configs" : "prompts");

export function show(main, title, shared) {
  const found = shared && shared !== opened ? unpack(shared) : null;
  const linked = Array.isArray(found) ? found.filter((each) => each && typeof each === "object") : null; // a link may be damaged
  if (linked?.length) lanes = linked.slice(0, 2).map((each, i) => (i && isTrial(each) ? freshTrial(each.config) : fresh(each)));
  const place = h("div", {}, waiting());
  const modes = MODES.map((name) => h("button", { class: "button", type: "button", value: name }, t(`playground.${name}`)));
  const copy = h("button", { class: "button", type: "button", onclick: () => copyLink(copy) }, t("playground.copy"));
  main.append(head(title, t("playground.lead"), ...modes, copy), place);
  let leave = () => {};
  const open = (context) => {
    const relay = (run) => {
      leave();
      for (const each of modes) each.setAttribute("aria-pressed", String(each.value === mode()));
      leave = lay(place, context, run);
    };
    for (const each of modes) each.onclick = () => {
      const other = each.value === "configs" ? freshTrial(context.text) : fresh(shareable(structuredClone(lanes[0])));
      lanes = each.value === mode() ? lanes.slice(0, 1) : [lanes[0], other];
      relay(false);
      remember();
    };
    relay(Boolean(linked?.length));
  };
  Promise.all([json("config/router"), json("v1/models")])
    .then(([stored, names]) => open({ config: stored.config, text: stored.text, names: names.data.map((each) => each.id) }))
    .catch((error) => place.replaceChildren(failed(error)));
  return () => leave();
}

const LABELS = { "": ["playground.prompt"], prompts: ["playground.a", "playground.b"], configs: ["playground.in_force", "playground.tried"] };

function lay(place, context, run) {
  const now = mode(), labels = LABELS[now].map((name) => t(name));
  const difference = h("div", { class: "difference" });
  const changed = () => {
    remember();
    const found = now ? comparison(lanes, labels) : null;
    difference.replaceChildren(...(found ? [found.element] : []));
    return found;
  };
  const told = () => { const found = changed(); if (found) announce(found.sum); };
  const titled = Boolean(now), tries = now === "configs";
  const first = lane(lanes[0], labels[0], { ...context, changed: told, typed: changed, titled, asking: () => tries && second.explain(asked(lanes[0])) });
  const second = tries ? trial(lanes[1], labels[1], { ...context, changed: told, typed: changed, ask: () => first.ask() })
    : now ? lane(lanes[1], labels[1], { ...context, changed: told, typed: changed, titled }) : null;
  const open = [first, second].filter(Boolean);
  place.replaceChildren(difference, h("div", { class: now ? "lanes two" : "lanes" }, open.map((each) => each.element)));
  if (run) for (const each of tries ? [first] : open) each.explain();
  return () => open.forEach((each) => each.leave());
}

function remember() {
  if (!["", "playground"].includes(parse(location.hash)[0])) return; // an answer came in after the page was left
  const said = lanes[0].messages.some((message) => message.content) || lanes.length > 1;
  opened = said ? pack(lanes.map((each) => (isTrial(each) ? { config: each.config } : shareable(each)))) : "";
  history.replaceState(null, "", said ? `#/playground?s=${opened}` : "#/playground");
}

async function copyLink(button) {
  await navigator.clipboard?.writeText(location.href).catch(() => {});
  button.textContent = t("playground.copied");
  announce(t("playground.copied"));
  setTimeout(() => { button.textContent = t("playground.copy"); }, 2000);
}
