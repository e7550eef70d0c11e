// The page and its state in the URL's fragment, which browsers never send to a server.

/** `#/playground?s=…` → ["playground", "…"] */
export function parse(hash) {
  const [path, query = ""] = hash.replace(/^#\/?/, "").split("?");
  return [path, new URLSearchParams(query).get("s") ?? ""];
}

export function pack(state) {
  const binary = Array.from(new TextEncoder().encode(JSON.stringify(state)), (byte) => String.fromCodePoint(byte)).join("");
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

/** What was packed; null for what was not made by `pack`. */
export function unpack(text) {
  try {
    const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
    return JSON.parse(new TextDecoder().decode(Uint8Array.from(binary, (char) => char.codePointAt(0))));
  } catch {
    return null;
  }
}
