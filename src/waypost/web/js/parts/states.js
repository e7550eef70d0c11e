// What every page shows: that it waits, that it failed, that there is nothing.

import { anotherToken } from "../api.js";
import { h, unseen } from "../dom.js";
import { t } from "../i18n.js";

export const waiting = () => h("p", { class: "note waiting", role: "status" }, t("state.waiting"));

export const nothing = (text, ...more) => h("div", { class: "empty" }, h("p", {}, text), ...more);

/** `again`: what tries once more. What may heal by itself, as no answer during a restart does, is marked. */
export function failed(error, again) {
  const refused = error.status === 401 || error.code === "insufficient_role";
  const [act, name] = refused ? [anotherToken, "token.another"] : [again, "state.again"];
  const press = () => {
    if (!refused) document.querySelector("#page h1")?.focus({ preventScroll: true }); // the button itself goes
    act();
  };
  return h("div", { class: "notice bad", role: "alert", "data-heals": error.status === 0 || error.status >= 500 },
    h("pre", {}, error.status === 401 ? t(error.code === "invalid_token" ? "token.wrong" : "token.why") : error.message),
    act ? h("button", { class: "button", type: "button", onclick: press }, t(name)) : null);
}

export const head = (title, lead, ...tools) =>
  h("div", { class: "head" }, h("div", {}, title, h("p", {}, lead)), tools.length ? h("div", { class: "row" }, tools) : null);

export const card = (title, ...content) => h("section", { class: "card" }, h("h2", {}, title), ...content);

/** A table that scrolls by itself where it is too wide. */
export const table = (caption, columns, rows) =>
  h("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": caption },
    h("table", {}, h("caption", { class: "unseen" }, caption),
      h("thead", {}, h("tr", {}, columns.map((name) => (name ? h("th", { scope: "col" }, name) : h("td", {}))))),
      h("tbody", {}, rows)));

/** Pairs of a name and a value; pairs without a value are left out. */
export const facts = (pairs) =>
  h("dl", { class: "facts" }, pairs.filter(([, value]) => value !== null && value !== undefined && value !== "")
    .map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));

const GLYPHS = { true: ["✓", "good", "truth.holds"], false: ["×", "quiet", "truth.not"], null: ["?", "warn", "truth.unknown"] };

/** True, false or unknown, as a sign and a word. */
export function truth(value) {
  const [glyph, colour, word] = GLYPHS[value];
  return h("span", { class: `truth ${colour}`, title: t(word) }, h("span", { "aria-hidden": "true" }, glyph), unseen(t(word)));
}
