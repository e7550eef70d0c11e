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
let mended = 0; // times that a page which failed was shown again by itself

const MENDED = 3; // at most, between two turns to ready: what still fails then is no matter of a restart

const where = () => {
  const [path, state] = parse(location.hash);
  return [path in PAGES ? path : "playground", state];
};

/** Show the page without what stands around it. Returns its title. */
function open() {
  const [name, state] = where();
  leave();
  const title = h("h1", { tabindex: "-1" }, t(`nav.${name}`));
  const main = document.getElementById("page");
  main.className = name;
  main.replaceChildren();
  leave = PAGES[name].show(main, title, state) ?? (() => {});
  return title;
}

function show() {
  const [name] = where(), title = open();
  document.title = `${t(`nav.${name}`)} · waypost`;
  document.querySelector(".skip").textContent = t("frame.skip");
  showFrame(Object.keys(PAGES), name, relearn, mend);
  if (shown && shown !== name) {
    mended = 0;
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

/** Show it once more, where it stands. */
function reopen() {
  const inside = document.getElementById("page").contains(document.activeElement);
  const title = open();
  if (inside) title.focus({ preventScroll: true });
}

/** A page that could not be had, as during a restart, is shown again when the router is ready. */
function mend(turned) {
  if (turned) mended = 0;
  if (mended >= MENDED || !document.querySelector("#page > div > [data-heals]:only-child")) return;
  mended += 1;
  reopen();
}

document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault(); // the fragment is the page's name
  document.getElementById("page").focus();
});
addEventListener("hashchange", show);
addEventListener("waypost:token", reopen);
await speak();
show();
