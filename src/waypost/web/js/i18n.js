// The page's words: one flat JSON file per language.

export const LANGUAGES = { en: "English", zh: "中文" };
const KEPT = "waypost.language";

let words = {};
let current = "en";

export const language = () => current;

const wanted = () => {
  const kept = localStorage.getItem(KEPT);
  if (kept in LANGUAGES) return kept;
  return navigator.languages.some((each) => each.startsWith("zh")) ? "zh" : "en";
};

/** Load a language's words; without one, the language that was chosen last, else the browser's. */
export async function speak(chosen) {
  if (chosen) localStorage.setItem(KEPT, chosen);
  current = chosen ?? wanted();
  const answer = await fetch(`web/i18n/${current}.json`);
  words = await answer.json();
  document.documentElement.lang = current === "zh" ? "zh-CN" : current;
}

/** The text of a key; {name} in it is replaced by values.name. */
export function t(key, values = {}) {
  const text = words[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}
