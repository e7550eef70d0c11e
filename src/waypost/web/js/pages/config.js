// The configuration: edited with help, checked while one types, compared, put in force, rolled back.

import { json } from "../api.js";
import { announce, h } from "../dom.js";
import { t } from "../i18n.js";
import { difference } from "../parts/difference.js";
import { editor } from "../parts/editor.js";
import { card, facts, failed, head, waiting } from "../parts/states.js";
import { help } from "../schema-help.js";
import { placeAt } from "../yaml-place.js";

const PAUSE = 500;
const CONFIG = "config/router";

let draft = null; // {text, revision}: what was typed and not applied, when the page is left

export function show(main, title) {
  const place = h("div", {}, waiting());
  main.append(head(title, t("config.lead")), place);
  let leave = () => {};
  const open = async (note) => {
    leave();
    try {
      const [stored, schema] = await Promise.all([json(CONFIG), json(`${CONFIG}/schema`)]);
      leave = desk(place, stored, schema, open, note);
    } catch (error) {
      place.replaceChildren(failed(error));
    }
  };
  open();
  return () => leave();
}

function desk(place, stored, schema, open, note) {
  const base = { ...stored };
  const text = draft?.text ?? stored.text;
  const problems = h("div", { class: "problems", "aria-live": "polite" }), helping = h("div", {}), change = h("div", { class: "change" });
  const message = h("div", { "aria-live": "polite" }, note ? h("p", { class: "notice good" }, note) : null);
  const button = (name, kind, act) => h("button", { class: `button ${kind}`, type: "button", onclick: act }, t(name));
  const apply = button("config.apply", "primary", () => put("PUT", CONFIG, { text: edit.area.value, revision: draft?.revision ?? base.revision }, "config.applied"));
  const back = button("config.back", "", () => put("POST", `${CONFIG}/rollback`, { revision: base.revision }, "config.went_back"));
  const drop = button("config.drop", "quiet", () => { draft = null; open(); });
  let timer = 0;

  async function put(method, path, body, done) {
    message.replaceChildren();
    try {
      const told = await json(path, { method, body });
      draft = null;
      await open(t(done, { digest: told.digest }));
      announce(t(done, { digest: told.digest }));
    } catch (error) {
      message.replaceChildren(failed(error), ...(error.code === "revision_conflict" ? [button("config.rebase", "", rebase)] : []));
    }
  }
  const rebase = async () => {
    Object.assign(base, await json(CONFIG));
    draft = { text: edit.area.value, revision: base.revision };
    message.replaceChildren(h("p", { class: "notice" }, t("config.rebased")));
    compare();
  };
  const compare = () => {
    const told = difference(base.text, edit.area.value), changed = told !== null;
    draft = changed ? { text: edit.area.value, revision: draft?.revision ?? base.revision } : null;
    change.replaceChildren(...(changed ? [told] : []));
    apply.disabled = drop.disabled = !changed;
    return changed;
  };
  const check = async () => {
    compare();
    try {
      const found = await json(`${CONFIG}/validate`, { method: "POST", body: { text: edit.area.value } });
      problems.replaceChildren(verdict(found, edit.goTo));
      edit.mark(found.errors.map((each) => each.line));
      apply.disabled ||= !found.valid || found.needs_restart.length > 0;
    } catch (error) {
      problems.replaceChildren(failed(error));
      apply.disabled = true;
    }
  };
  const advise = (offset) => helping.replaceChildren(advice(help(schema, placeAt(edit.area.value, offset))));
  const edit = editor(t("config.file"), text, {
    typed: () => { clearTimeout(timer); apply.disabled = true; timer = setTimeout(check, PAUSE); },
    moved: advise,
  });
  place.replaceChildren(facts([
    [t("config.path"), h("code", {}, base.path)], [t("config.revision"), h("code", {}, base.revision)], [t("config.digest"), h("code", {}, base.digest)],
  ]), base.reload_error ? h("div", { class: "notice warn" }, h("b", {}, t("config.not_in_force")), h("pre", {}, base.reload_error)) : "",
  h("div", { class: "row tools" }, apply, drop, h("span", { class: "grow" }), back), message,
  h("div", { class: "desk" }, edit.element, h("aside", { class: "beside", tabindex: "0", "aria-label": t("config.help") }, problems, helping)), change);
  check();
  helping.replaceChildren(advice(help(schema, [])));
  return () => clearTimeout(timer);
}

function verdict({ valid, errors, warnings, needs_restart: restart }, goTo) {
  const row = (kind) => (each) => h("li", {}, h("button", { class: `problem ${kind}`, type: "button", onclick: () => goTo(each.line || 1) },
    h("code", {}, each.line ? `${each.line}:${each.column}` : "–"), h("span", {}, each.path ? h("b", {}, `${each.path} `) : null, each.message)));
  const word = valid ? (restart.length ? "config.needs_restart" : "config.valid") : "config.invalid";
  return h("section", { class: "card" }, h("h2", { class: valid ? (restart.length ? "warn" : "good") : "bad" }, t(word, { n: errors.length })),
    restart.length ? h("p", {}, restart.map((key) => h("code", {}, `${key} `))) : null,
    errors.length + warnings.length ? h("ul", {}, errors.map(row("bad")), warnings.map(row("warn"))) : "");
}

const path = (place) => place.map((key, i) => (key === 0 ? "[]" : (i ? "." : "") + key)).join("") || "waypost.yaml";

const advice = (found) => card(path(found.place), found.description ? h("p", { class: "describe" }, found.description.replaceAll("``", "")) : "",
  facts([
    [t("config.type"), found.types.join(", ")],
    [t("config.allowed"), found.allowed.length ? found.allowed.map((each) => [h("code", {}, String(each)), " "]) : null],
    [t("config.default"), found.fallback === undefined || found.fallback === null || typeof found.fallback === "object" ? null : h("code", {}, String(found.fallback))],
    [t("config.examples"), found.examples.length ? found.examples.map((each) => [h("code", {}, String(each)), " "]) : null],
  ]), found.keys.length ? h("dl", { class: "keys" }, found.keys.map((each) => [h("dt", {}, h("code", {}, each.name)), h("dd", {}, each.description.replaceAll("``", ""))])) : "");
