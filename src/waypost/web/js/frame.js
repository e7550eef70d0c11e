// What stands around every page: where one is, how the router is, and how it is shown.

import { ready } from "./api.js";
import { h } from "./dom.js";
import { LANGUAGES, language, t } from "./i18n.js";

const EVERY = 10_000;
const THEMES = ["auto", "light", "dark"];
const KEPT = "waypost.theme";

let timer = 0;
let last = null;

export function showFrame(pages, here, speak) {
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
      h("p", {}, h("a", { href: "docs" }, t("frame.api")))));
  watch(state);
}

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

function watch(state) {
  clearInterval(timer);
  const tell = () => state.replaceChildren(...told(last));
  const look = async () => {
    last = document.hidden ? last : await ready().catch(() => null);
    tell();
  };
  if (last) tell();
  look();
  timer = setInterval(look, EVERY);
}

function told(now) {
  if (!now) return [h("span", { class: "dot bad" }), t("state.gone")];
  const missing = Object.entries(now.checks).filter(([, fine]) => !fine).map(([name]) => name);
  const trouble = missing.length ? missing.join(", ") : now.reload_error ? t("state.reload") : "";
  const colour = missing.length ? "bad" : trouble ? "warn" : "good";
  const label = missing.length ? t("state.not_ready") : t("state.ready");
  return [h("span", { class: `dot ${colour}` }), h("span", { title: now.reload_error },
    `${label} · ${now.version}`, trouble && h("span", { class: colour }, ` · ${trouble}`))];
}
