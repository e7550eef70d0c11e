// Elements without markup strings: text only ever enters the page as text.

const SVG = "http://www.w3.org/2000/svg";

function set(node, name, value) {
  if (value === null || value === undefined || value === false) return;
  if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
  else if (name === "vars") for (const [key, each] of Object.entries(value)) node.style.setProperty(key, each);
  else if (name === "value") node.value = value;
  else node.setAttribute(name, value === true ? "" : value);
}

function build(node, props, children) {
  for (const [name, value] of Object.entries(props ?? {})) if (name !== "value") set(node, name, value);
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  if (props?.value !== undefined) set(node, "value", props.value); // a select has its options only now
  return node;
}

/** An HTML element: h("p", {class: "note", onclick: f, vars: {"--x": 1}}, "text", child, [more]). */
export const h = (tag, props, ...children) => build(document.createElement(tag), props, children);

/** An SVG element. */
export const s = (tag, props, ...children) => build(document.createElementNS(SVG, tag), props, children);

/** Text that only screen readers get. */
export const unseen = (text) => h("span", { class: "unseen" }, text);

/** Tell a screen reader what has changed. */
export function announce(text) {
  document.getElementById("announce").textContent = text;
}
