// Shows the page that the URL's fragment names.

import { announce, h } from "./dom.js";
import { showFrame } from "./frame.js";
import { speak, t } from "./i18n.js";
import { parse } from "./share.js";
import * as config from "./pages/config.js";
import * as live from "./pages/live.js";
import * as models from "./pages/models.js";
import * as playground from "./pages/playground.js";
import * as records from "./pages/records.js";
import * as topology from "./pages/topology.js";

const PAGES = { playground, live, models, config, topology, records };

let leave = () => {};
let shown = "";

function show() {
  const [path, state] = parse(location.hash);
  const name = path in PAGES ? path : "playground";
  leave();
  const title = h("h1", { tabindex: "-1" }, t(`nav.${name}`));
  const main = document.getElementById("page");
  main.className = name;
  main.replaceChildren();
  leave = PAGES[name].show(main, title, state) ?? (() => {});
  document.title = `${t(`nav.${name}`)} · waypost`;
  document.querySelector(".skip").textContent = t("frame.skip");
  showFrame(Object.keys(PAGES), name, relearn);
  if (shown && shown !== name) {
    title.focus({ preventScroll: true });
    scrollTo(0, 0);
    announce(document.title);
  }
  shown = name;
}

async function relearn(language) {
  await speak(language);
  show();
  document.querySelector(`.switches [value="${language}"]`)?.focus();
}

document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault(); // the fragment is the page's name
  document.getElementById("page").focus();
});
addEventListener("hashchange", show);
await speak();
show();
