// What stands around every page: where one is, how the router is, and how it is shown.

import { anotherToken, ready, wantsToken } from "./api.js";
import { h } from "./dom.js";
import { LANGUAGES, language, t } from "./i18n.js";
import { patch } from "./patch.js";

const EVERY = 10_000;
const SOON = 2000; // while it is not ready
const THEMES = ["auto", "light", "dark"];
const KEPT = "waypost.theme";

let unwatch = () => {};
let last = null;

/** `mend(turned)` is called while the router is ready; `turned`: it was not, the time before. */
export function showFrame(pages, here, speak, mend) {
  const frame = document.getElementById("frame");
  const state = h("p", { class: "state" });
  const menu = h("button", { class: "button menu", type: "button", "aria-expanded": "false" }, t("frame.menu"));
  menu.addEventListener("click", () => menu.setAttribute("aria-expanded", frame.classList.toggle("open")));
  frame.classList.remove("open");
  frame.replaceChildren(
    h("a", { class: "brand", href: "#/playground" }, h("img", { src: "web/icon.svg", alt: "" }), "waypost"),
    menu,
    h("nav", { "aria-label": t("frame.pages") }, h("ul", {}, pages.map((page) =>
      h("li", {}, h("a", { href: `#/${page}`, "aria-current": page === here && "page" }, t(`nav.${page}`)))))),
    h("div", { class: "foot" }, state,
      h("div", { class: "switches" }, themes(), languages(speak)),
      h("p", { id: "another-token", hidden: !wantsToken() }, h("button", { class: "link", type: "button", onclick: anotherToken }, t("token.another"))),
      h("p", {}, h("a", { href: "docs" }, t("frame.api")))));
  unwatch();
  unwatch = watch(state, mend);
}

addEventListener("waypost:guarded", () => { document.getElementById("another-token").hidden = false; });
document.addEventListener("keydown", (event) => {
  const frame = document.getElementById("frame");
  if (event.key !== "Escape" || !frame.classList.contains("open") || document.querySelector("dialog[open]")) return;
  const menu = frame.querySelector(".menu");
  menu.click();
  menu.focus();
});

function themes() {
  const choose = (event) => {
    const theme = event.target.value;
    if (theme === "auto") localStorage.removeItem(KEPT);
    else localStorage.setItem(KEPT, theme);
    if (theme === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
  };
  const options = THEMES.map((theme) => h("option", { value: theme }, t(`theme.${theme}`)));
  return h("select", { class: "slim", "aria-label": t("frame.theme"), onchange: choose,
    value: document.documentElement.dataset.theme ?? "auto" }, options);
}

function languages(speak) {
  const choice = h("div", { class: "choice", role: "group", "aria-label": t("frame.language") });
  for (const [code, name] of Object.entries(LANGUAGES))
    choice.append(h("button", { type: "button", value: code, lang: code, "aria-pressed": String(code === language()),
      onclick: () => speak(code) }, name));
  return choice;
}

/** Look again and again, never twice at once; returns what ends it. */
function watch(state, mend) {
  let timer = 0, over = false, first = true;
  const look = async () => {
    const found = document.hidden ? last : await ready().catch(() => null);
    if (over) return;
    const now = found?.checks ? found : null; // something else may stand before the router
    const turned = now?.status === "ready" && last?.status !== "ready";
    last = now;
    patch(state, told(last));
    timer = setTimeout(look, last?.status === "ready" ? EVERY : SOON);
    const asks = first; // what the page asks for meanwhile may still come
    first = false;
    if (turned || (!asks && last?.status === "ready")) mend(turned);
  };
  if (last) patch(state, told(last));
  look();
  return () => { over = true; clearTimeout(timer); };
}

function told(now) {
  if (!now) return [h("span", { class: "dot bad" }), h("span", {}, t("state.gone"))];
  const missing = Object.entries(now.checks).filter(([, fine]) => !fine).map(([name]) => name);
  const more = [...missing.map((name) => h("span", { class: "bad" }, name)), ...warnings(now, missing)];
  const label = missing.length ? t("state.not_ready") : t("state.ready");
  return [h("span", { class: `dot ${missing.length ? "bad" : more.length ? "warn" : "good"}` }),
    h("span", {}, `${label} · ${now.version}`, more.map((each) => [" · ", each]))];
}

/** What is wrong and keeps no request from being served. */
function warnings({ guards, workers, reload_error: refused }, missing) {
  const found = Object.entries(guards).filter(([name, why]) => why !== "ok" && !missing.includes(`${name}_guard`))
    .map(([name, why]) => h("span", { class: "warn", title: why }, t("state.guard", { name })));
  if (workers && workers.alive < workers.wanted) found.push(h("span", { class: "warn" }, t("state.workers", workers)));
  if (refused) found.push(h("a", { class: "warn", href: "#/config", title: refused }, t("state.reload")));
  return found;
}
