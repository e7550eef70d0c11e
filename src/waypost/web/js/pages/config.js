// The configuration: edited with help, checked while one types, compared, put in force, rolled back.

import { json } from "../api.js";
import { announce, h } from "../dom.js";
import { t } from "../i18n.js";
import { plain, restore } from "../line-ends.js";
import { difference } from "../parts/difference.js";
import { editor } from "../parts/editor.js";
import { card, facts, failed, head, waiting } from "../parts/states.js";
import { help } from "../schema-help.js";
import { placeAt } from "../yaml-place.js";

const PAUSE = 500;
const CONFIG = "config/router";

let draft = null; // {text, revision}: what is typed and not applied; it outlives the page

export function show(main, title) {
  const place = h("div", {}, waiting());
  main.append(head(title, t("config.lead")), place);
  let leave = () => {};
  /** `note`: what has happened, if anything. `held`: the focus was on what is drawn anew. */
  const open = async (note, held) => {
    leave();
    try {
      const [stored, schema] = await Promise.all([json(CONFIG), json(`${CONFIG}/schema`)]);
      leave = desk(place, stored, schema, open, note, held);
    } catch (error) {
      place.replaceChildren(failed(error, () => open(note, held)));
    }
  };
  open();
  return () => leave();
}

function desk(place, stored, schema, open, note, held) {
  const base = { ...stored };
  const text = draft?.text ?? plain(stored.text);
  const about = h("div", {}), problems = h("div", { class: "problems", "aria-live": "polite" }), helping = h("div", {}), change = h("div", { class: "change" });
  const message = h("div", { "aria-live": "polite", tabindex: "-1" }, note ? h("p", { class: "notice good" }, note) : null);
  const button = (name, kind, act) => h("button", { class: `button ${kind}`, type: "button", onclick: act }, t(name));
  const holds = () => place.contains(document.activeElement);
  const apply = button("config.apply", "primary", () => put("PUT", CONFIG, { text: restore(edit.area.value, base.text), revision: draft?.revision ?? base.revision }, "config.applied"));
  const back = button("config.back", "", () => put("POST", `${CONFIG}/rollback`, { revision: base.revision }, "config.went_back"));
  const drop = button("config.drop", "quiet", () => { draft = null; open("", holds()); });
  let timer = 0, turn = 0; // of the last check: an older one tells nothing about the text
  let fine = false, putting = false;

  const allow = () => {
    apply.disabled = putting || !draft || !fine;
    drop.disabled = putting || !draft;
    back.disabled = putting || Boolean(draft); // it would throw the draft away
    back.title = draft ? t("config.back.first") : "";
    edit.area.readOnly = putting; // what were typed now would be lost with the desk
  };
  const introduce = () => about.replaceChildren(facts([
    [t("config.path"), h("code", {}, base.path)], [t("config.revision"), h("code", {}, base.revision)], [t("config.digest"), h("code", {}, base.digest)],
  ]), base.reload_error ? h("div", { class: "notice warn" }, h("b", {}, t("config.not_in_force")), h("pre", {}, base.reload_error)) : "");

  async function put(method, path, body, done) {
    const focused = holds();
    putting = true;
    message.replaceChildren();
    allow();
    try {
      const told = await json(path, { method, body });
      draft = null;
      const note = t(done, { digest: told.digest });
      await open(note, focused);
      announce(note);
    } catch (error) {
      putting = false;
      message.replaceChildren(failed(error), ...(error.code === "revision_conflict" ? [button("config.rebase", "", rebase)] : []));
      if (focused) message.focus();
      check();
    }
  }
  const rebase = async () => {
    const focused = holds();
    try {
      Object.assign(base, await json(CONFIG));
      draft = { text: edit.area.value, revision: base.revision };
      introduce();
      message.replaceChildren(h("p", { class: "notice" }, t("config.rebased")));
    } catch (error) {
      message.replaceChildren(failed(error), button("config.rebase", "", rebase));
    }
    if (focused) message.focus();
    check();
  };
  /** Keep what is typed; Apply waits for the verdict on it. */
  const keep = () => {
    const typed = edit.area.value;
    draft = typed === plain(base.text) ? null : { text: typed, revision: draft?.revision ?? base.revision };
    [turn, fine] = [turn + 1, false];
    const heading = problems.querySelector("h2"); // the problems stay: one may be at mending them
    if (heading) Object.assign(heading, { className: "quiet waiting", textContent: t("config.checking") });
    problems.setAttribute("aria-busy", "true"); // to be read out once the verdict is there
    allow();
  };
  const check = async () => {
    keep();
    const mine = turn;
    const told = draft && difference(plain(base.text), draft.text);
    change.replaceChildren(...(told ? [told] : []));
    try {
      const found = await json(`${CONFIG}/validate`, { method: "POST", body: { text: edit.area.value } });
      if (mine !== turn) return;
      problems.replaceChildren(verdict(found, edit.goTo));
      edit.mark(found.errors.map((each) => each.line));
      fine = found.valid && !found.needs_restart.length;
    } catch (error) {
      if (mine !== turn) return;
      problems.replaceChildren(failed(error));
    }
    problems.setAttribute("aria-busy", "false");
    allow();
  };
  const advise = (offset) => helping.replaceChildren(advice(help(schema, placeAt(edit.area.value, offset))));
  const edit = editor(t("config.file"), text, {
    typed: () => { clearTimeout(timer); keep(); timer = setTimeout(check, PAUSE); },
    moved: advise,
  });
  place.replaceChildren(about, h("div", { class: "row tools" }, apply, drop, h("span", { class: "grow" }), back), message,
  h("div", { class: "desk" }, edit.element, h("aside", { class: "beside", tabindex: "0", "aria-label": t("config.help") }, problems, helping)), change);
  introduce();
  check();
  helping.replaceChildren(advice(help(schema, [])));
  if (held) (note ? message : edit.area).focus({ preventScroll: true });
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
