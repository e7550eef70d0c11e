// What the router makes of a prompt; of two prompts side by side; or of one, by the configuration in force and another.

import { json } from "../api.js";
import { announce, h } from "../dom.js";
import { t } from "../i18n.js";
import { fresh, lane, readable, shareable } from "../lane.js";
import { plain } from "../line-ends.js";
import { comparison } from "../parts/comparison.js";
import { failed, head, waiting } from "../parts/states.js";
import { pack, parse, unpack } from "../share.js";
import { freshTrial, trial } from "../trial.js";

const MODES = ["prompts", "configs"];

let lanes = [fresh()];
let opened = "";
let offered = null; // the field with the link, where the browser did not let us copy it

const isTrial = (state) => typeof state.config === "string";
const mode = () => (lanes.length < 2 ? "" : isTrial(lanes[1]) ? "configs" : "prompts");

export function show(main, title, shared) {
  const isNew = Boolean(shared) && shared !== opened;
  const linked = isNew ? read(unpack(shared)) : null;
  if (linked) lanes = linked;
  const place = h("div", {}, waiting()), aside = h("div", { "aria-live": "polite" });
  if (isNew && !linked) aside.append(h("p", { class: "notice warn", role: "alert" }, t("playground.damaged")));
  const modes = MODES.map((name) => h("button", { class: "button", type: "button", value: name }, t(`playground.${name}`)));
  const copy = h("button", { class: "button", type: "button", onclick: () => copyLink(copy, aside) }, t("playground.copy"));
  main.append(head(title, t("playground.lead"), ...modes, copy), aside, place);
  let leave = () => {}, laid = 0;
  const open = (context) => {
    const relay = async (run) => {
      const mine = laid += 1;
      for (const each of modes) each.setAttribute("aria-pressed", String(each.value === mode()));
      await leave(); // an answer that was coming in is drawn as stopped, and not as if it still came
      if (mine === laid) leave = lay(place, context, run);
    };
    for (const each of modes) each.onclick = () => {
      const other = each.value === "configs" ? freshTrial(context.text) : fresh(shareable(structuredClone(lanes[0])));
      lanes = each.value === mode() ? lanes.slice(0, 1) : [lanes[0], other];
      relay(false);
      remember();
    };
    relay(Boolean(linked));
  };
  const load = () => Promise.all([json("config/router"), json("v1/models")])
    .then(([stored, names]) => laid === 0 && open({ config: stored.config, text: plain(stored.text), names: names.data.map((each) => each.id) }))
    .catch((error) => place.replaceChildren(failed(error, load)));
  load();
  return () => {
    laid = NaN; // who still waits to draw must not: the page is another's now
    offered = null;
    leave();
  };
}

/** The lanes of a link, which may be damaged or made by anybody; null where it is no such thing. */
function read(found) {
  const made = Array.isArray(found) && found.length && found.every((each) => each && typeof each === "object");
  if (!made || !found.every((each, i) => (i && isTrial(each)) || readable(each))) return null;
  return found.slice(0, 2).map((each, i) => (i && isTrial(each) ? freshTrial(each.config) : fresh(each)));
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
  const first = lane(lanes[0], labels[0], { ...context, changed: told, typed: changed, titled, asking: (body) => tries && second.explain(body) });
  const second = tries ? trial(lanes[1], labels[1], { ...context, changed: told, typed: changed, ask: () => first.ask() })
    : now ? lane(lanes[1], labels[1], { ...context, changed: told, typed: changed, titled }) : null;
  const open = [first, second].filter(Boolean);
  place.replaceChildren(difference, h("div", { class: now ? "lanes two" : "lanes" }, open.map((each) => each.element)));
  const due = lanes.map((each) => run || each.asking); // what was asked when it was drawn the last time is asked again
  if (tries ? due.some(Boolean) : due[0]) first.explain();
  if (second && !tries && due[1]) second.explain();
  return () => Promise.all(open.map((each) => each.leave()));
}

function remember() {
  if (!["", "playground"].includes(parse(location.hash)[0])) return; // an answer came in after the page was left
  const said = lanes[0].messages.some((message) => message.content) || lanes.length > 1;
  opened = said ? pack(lanes.map((each) => (isTrial(each) ? { config: each.config } : shareable(each)))) : "";
  history.replaceState(null, "", said ? `#/playground?s=${opened}` : "#/playground");
  if (offered) offered.value = location.href;
}

async function copyLink(button, aside) {
  remember();
  offered = null;
  aside.replaceChildren();
  try {
    await navigator.clipboard.writeText(location.href); // over http there is no clipboard but on this machine's own name
  } catch {
    offered = h("input", { readonly: true, class: "mono", value: location.href });
    aside.replaceChildren(h("label", { class: "notice stack" }, t("playground.not_copied"), offered));
    offered.focus();
    offered.select();
    return;
  }
  button.textContent = t("playground.copied");
  announce(t("playground.copied"));
  setTimeout(() => { button.textContent = t("playground.copy"); }, 2000);
}
