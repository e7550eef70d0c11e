// A text area with line numbers, coloured YAML, and marks at the lines that are wrong.

import { h } from "../dom.js";

const TOKEN = /(#.*$)|("(?:[^"\\]|\\.)*"|'(?:[^']|'')*')|(\$\{[^}]*\})|([\w.\-]+(?=\s*:(?:\s|$)))|((?<=[\s[{,])(?:true|false|null|\d[\d.]*[a-zA-Z]{0,3})(?=\s*(?:[,}\]#]|$)))/g;
const KINDS = ["remark", "text", "variable", "key", "value"];

/** `does`: {typed(text), moved(offset)}. Returns {element, area, mark(lines), goTo(line)}. */
export function editor(label, text, does) {
  const numbers = h("ol", { class: "numbers", "aria-hidden": "true" }), paper = h("pre", { class: "paper", "aria-hidden": "true" });
  const area = h("textarea", { "aria-label": label, spellcheck: "false", autocapitalize: "off", autocomplete: "off", wrap: "off" });
  const element = h("div", { class: "editor" }, numbers, h("div", { class: "sheet" }, paper, area));
  let wrong = new Set();
  const number = () => {
    const count = area.value.split("\n").length;
    numbers.replaceChildren(...Array.from({ length: count }, (_, i) => h("li", { class: wrong.has(i + 1) ? "wrong" : "" }, i + 1)));
  };
  const paint = () => { paper.replaceChildren(...area.value.split("\n").flatMap(coloured), "\n"); number(); follow(); };
  const follow = () => { paper.scrollTop = numbers.scrollTop = area.scrollTop; paper.scrollLeft = area.scrollLeft; };
  const moved = () => does.moved(area.selectionStart);
  area.value = text;
  area.addEventListener("input", () => { paint(); does.typed(area.value); moved(); });
  area.addEventListener("scroll", follow);
  for (const event of ["click", "keyup", "focus"]) area.addEventListener(event, moved);
  paint();
  return {
    element, area, paint,
    mark: (lines) => { wrong = new Set(lines); number(); follow(); },
    goTo: (line) => {
      const start = area.value.split("\n").slice(0, line - 1).join("\n").length + (line > 1);
      area.focus();
      area.setSelectionRange(start, start);
      area.scrollTop = (line - 5) * parseFloat(getComputedStyle(area).lineHeight);
      moved();
    },
  };
}

function coloured(line, i) {
  const parts = i ? ["\n"] : [];
  let end = 0;
  for (const match of line.matchAll(TOKEN)) {
    const kind = KINDS[match.slice(1).findIndex((group) => group !== undefined)];
    if (kind === "remark" && match.index && !/\s/.test(line[match.index - 1])) continue;
    parts.push(line.slice(end, match.index), h("span", { class: kind }, match[0]));
    end = match.index + match[0].length;
  }
  return [...parts, line.slice(end)];
}
