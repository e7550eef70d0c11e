// Asks for the API's token: once for however many requests wait for it.

import { h } from "./dom.js";
import { t } from "./i18n.js";

let asking = null;

/** The token that was typed, or "" when there was none. `why`: the key of the text that says what it is for. */
export function askForToken(why) {
  asking ??= ask(why).finally(() => { asking = null; });
  return asking;
}

function ask(why) {
  return new Promise((resolve) => {
    const input = h("input", { type: "password", id: "token", autocomplete: "off", spellcheck: "false", required: true,
      pattern: "\\s*[!-~]+\\s*" }); // what a header can hold
    const dialog = h("dialog", { "aria-labelledby": "token-title" },
      h("form", { method: "dialog", class: "stack" },
        h("h2", { id: "token-title" }, t("token.title")),
        h("p", {}, t(why)),
        h("label", { for: "token", class: "field" }, t("token.label"), input),
        h("p", { class: "quiet" }, t("token.kept")),
        h("div", { class: "row" },
          h("button", { class: "button primary", value: "ok" }, t("token.use")),
          h("button", { class: "button", value: "", formnovalidate: true }, t("token.cancel")))));
    dialog.addEventListener("close", () => {
      resolve(dialog.returnValue === "ok" ? input.value.trim() : "");
      dialog.remove();
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}
