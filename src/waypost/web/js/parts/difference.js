// The lines in which two texts differ.

import { diff, hunks } from "../diff.js";
import { h } from "../dom.js";
import { t } from "../i18n.js";
import { card } from "./states.js";

/** A card with the changed lines and a few around them; null where the texts are the same. */
export function difference(old, fresh) {
  const rows = diff(old, fresh);
  const more = rows.filter((row) => row.kind === "more").length, less = rows.filter((row) => row.kind === "less").length;
  const line = (row) => row === null ? h("div", { class: "gap" }, "⋯") : h("div", { class: row.kind },
    h("span", { class: "no" }, row.before ?? ""), h("span", { class: "no" }, row.after ?? ""),
    h("span", { class: "sign" }, { same: " ", more: "+", less: "−" }[row.kind]), h("span", {}, row.line));
  if (!more && !less) return null;
  return card(t("config.diff", { more, less }), h("div", { class: "diff", tabindex: "0", role: "group", "aria-label": t("config.diff", { more, less }) }, hunks(rows).map(line)));
}
