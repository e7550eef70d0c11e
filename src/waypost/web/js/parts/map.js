// The picture of a request's way: boxes, the path between them, and what walks along it.

import { s } from "../dom.js";
import { t } from "../i18n.js";
import { landscape, portrait } from "./places.js";

const SECONDS = 3.2;
const REACH = 12; // how near the walker must come for a box to light up

const near = ({ x, y, w, h }, at) => at.x > x - REACH && at.x < x + w + REACH && at.y > y - REACH && at.y < y + h + REACH;
const still = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

/** {element, width, go(), stop()}. Without an evaluation nothing is lit. */
export function map(config, evaluation, width) {
  const stages = labels(config, evaluation);
  const layout = (width > 720 ? landscape : portrait)(stages, Object.keys(config.models), evaluation, width);
  const boxes = layout.boxes.map(box);
  const trail = s("path", { class: `trail ${evaluation?.blocked ? "blocked" : ""}`, d: layout.path });
  const walker = s("circle", { class: "walker", r: 6 });
  const element = s("svg", { viewBox: `0 0 ${layout.width} ${layout.height}`, role: "img", "aria-label": t("topology.picture") },
    s("rect", { class: "own", x: layout.own.x, y: layout.own.y, width: layout.own.w, height: layout.own.h, rx: 14 }),
    s("text", { class: "title", x: layout.own.x + layout.own.title, y: layout.own.y + 22 }, "waypost"),
    layout.ways.map((d) => s("path", { class: "road", d })), evaluation ? trail : [], boxes, evaluation ? walker : []);
  let frame = 0;
  const light = (all) => boxes.forEach((each, i) => each.classList.toggle("lit", all && layout.boxes[i].lit));
  light(Boolean(evaluation));

  function go() {
    const length = trail.getTotalLength();
    if (still() || !length) { walker.remove(); return; }
    light(false);
    let began = 0;
    const step = (now) => {
      began ||= now;
      const part = Math.min(1, (now - began) / 1000 / SECONDS), at = trail.getPointAtLength(length * part);
      trail.style.strokeDasharray = `${length * part} ${length}`;
      walker.setAttribute("cx", at.x);
      walker.setAttribute("cy", at.y);
      boxes.forEach((each, i) => layout.boxes[i].lit && near(layout.boxes[i], at) && each.classList.add("lit"));
      if (part < 1) frame = requestAnimationFrame(step);
      else { walker.remove(); light(true); trail.style.strokeDasharray = ""; }
    };
    frame = requestAnimationFrame(step);
  }
  return { element, width, go, stop: () => cancelAnimationFrame(frame) };
}

/** What each box of waypost's own says: [name, value]. */
function labels(config, found) {
  const used = found?.decision_result?.used_signals ?? [];
  const guards = found?.verdicts.map((each) => t(`guards.${each.action}`)).join(", ");
  const cached = config.cache ? t("topology.cache.on") : t("topology.cache.off");
  return [
    [t("topology.signals"), found ? used.join(", ") : ""],
    [t("topology.decide"), found ? found.routing_decision || t("outcome.default") : ""],
    [t("topology.guard"), found ? guards || t("topology.guard.ok") : ""],
    [t("topology.cache"), cached],
    [t("topology.select"), found && !found.blocked ? found.selected_model : ""],
    [t("topology.edit"), found && !found.blocked ? (found.masked_messages ? t("topology.edit.mask") : found.system_prompt ? t("topology.edit.prompt") : t("topology.edit.none")) : ""],
  ];
}

function box({ x, y, w, h, name, value, kind }) {
  const wide = (text) => [...text].reduce((sum, char) => sum + (char.codePointAt(0) > 0x2e80 ? 2 : 1), 0);
  const fitted = (text, size) => {
    let cut = text ?? "";
    while (wide(cut) * size * 0.56 > w - 20 && cut) cut = cut.slice(0, -1);
    return cut === text ? cut : `${cut.slice(0, -1)}…`;
  };
  const middle = y + h / 2;
  return s("g", { class: `box ${kind ?? ""}` }, s("rect", { x, y, width: w, height: h, rx: 9 }), s("title", {}, value ? `${name}: ${value}` : name),
    s("text", { x: x + w / 2, y: value ? middle - 3 : middle + 5, class: "name" }, fitted(name, 14)),
    value ? s("text", { x: x + w / 2, y: middle + 15, class: "value" }, fitted(value, 12)) : []);
}
