// Makes a part of the page like a new one by changing only what differs, so that focus, scrolling and selections stay.

/** `data-key` names what is the same thing in both; without one, what stands at the same place is. */
const key = (node) => node.dataset?.key;
const alike = (node, next) => node.nodeName === next.nodeName && key(node) === key(next);

/** Make the children of `parent` like `wanted`. Listeners of what stays are its old ones. */
export function patch(parent, wanted) {
  const keys = new Set(wanted.map(key));
  for (const node of [...parent.childNodes]) if (key(node) && !keys.has(key(node))) node.remove();
  let at = parent.firstChild;
  for (const next of wanted) {
    if (at && alike(at, next)) {
      become(at, next);
      at = at.nextSibling;
    } else parent.insertBefore(next, at);
  }
  while (at) {
    const next = at.nextSibling;
    at.remove();
    at = next;
  }
}

function become(node, next) {
  if (node.nodeType !== Node.ELEMENT_NODE) {
    if (node.nodeValue !== next.nodeValue) node.nodeValue = next.nodeValue;
    return;
  }
  for (const { name } of [...node.attributes]) if (!next.hasAttribute(name)) node.removeAttribute(name);
  for (const { name, value } of next.attributes) if (name !== "style" && node.getAttribute(name) !== value) node.setAttribute(name, value);
  if (node.style.cssText !== next.style.cssText) node.style.cssText = next.style.cssText; // as an attribute the page's policy forbids it
  patch(node, [...next.childNodes]);
}

/** Whether something in it is being selected, to be copied. */
export function selected(node) {
  const now = getSelection();
  return !now.isCollapsed && now.rangeCount > 0 && now.getRangeAt(0).intersectsNode(node);
}
