// What the guards found, and what they do about it.

import { h } from "../dom.js";
import { score } from "../format.js";
import { t } from "../i18n.js";
import { card } from "./states.js";

export function guards(evaluation) {
  return card(t("guards.title"), evaluation.verdicts.map(verdict), evaluation.verdicts.length ? null :
    h("p", { class: "quiet" }, evaluation.guards.length ? t("guards.clean", { names: evaluation.guards.join(", ") }) : t("guards.none")));
}

const COLOURS = { block: "bad", mask: "warn", restrict_models: "warn", route: "warn", log: "", allow: "" };

const verdict = (each) =>
  h("div", { class: "verdict" },
    h("p", {}, h("b", {}, each.guard), " ", h("span", { class: `tag ${COLOURS[each.action]}` }, t(`guards.${each.action}`))),
    h("ul", { class: "chips" }, Object.entries(each.found).map(([name, value]) =>
      h("li", { class: "chip" }, name, h("span", { class: "quiet" }, ` ${score(value)}`)))),
    each.error ? h("p", { class: "warn small" }, each.error) : null,
    each.unread_tokens ? h("p", { class: "warn small" }, t("guards.unread", { n: each.unread_tokens })) : null);
