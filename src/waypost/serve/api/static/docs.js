// Shows openapi.json and lets every operation be tried. Text only enters the page as text, never as markup.

const METHODS = ["get", "put", "post", "patch", "delete"];
const DEEPEST = 6;

const make = (tag, attributes = {}, ...children) => {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
};

const resolve = (api, schema) =>
  schema?.$ref ? resolve(api, schema.$ref.slice(2).split("/").reduce((at, key) => at[key], api)) : (schema ?? {});

const typeOf = (api, schema, depth = 0) => {
  const plain = resolve(api, schema);
  const several = plain.anyOf ?? plain.oneOf;
  if (several) return several.map((one) => typeOf(api, one, depth)).join(" or ");
  if (plain.enum) return plain.enum.map((one) => JSON.stringify(one)).join(" or ");
  if ("const" in plain) return JSON.stringify(plain.const);
  if (plain.type === "array") return depth < DEEPEST ? `list of ${typeOf(api, plain.items, depth + 1)}` : "list";
  return plain.title && plain.properties ? plain.title : (plain.type ?? "anything");
};

const example = (api, schema, depth = 0) => {
  const plain = resolve(api, schema);
  if ("default" in plain) return plain.default;
  if (plain.anyOf) return example(api, plain.anyOf[0], depth);
  if (plain.enum) return plain.enum[0];
  if (plain.type === "array") return depth < DEEPEST ? [example(api, plain.items, depth + 1)] : [];
  if (plain.type === "object" || plain.properties) {
    const shown = Object.entries(plain.properties ?? {}).filter(([name]) => plain.required?.includes(name));
    return Object.fromEntries(shown.map(([name, one]) => [name, example(api, one, depth + 1)]));
  }
  return { string: "Hello", integer: 1, number: 0.5, boolean: false }[plain.type] ?? null;
};

const fields = (api, schema) => {
  const plain = resolve(api, schema);
  if (plain.anyOf) return make("div", {}, ...plain.anyOf.map((one) => fields(api, one)));
  const rows = Object.entries(plain.properties ?? {}).map(([name, one]) =>
    make("tr", {}, make("td", {}, make("code", {}, name)), make("td", {}, typeOf(api, one)),
      make("td", {}, one.description ?? resolve(api, one).description ?? "")));
  const head = make("tr", {}, ...["field", "type", "meaning"].map((name) => make("th", { scope: "col" }, name)));
  return make("table", {}, make("caption", {}, plain.description ?? ""), make("thead", {}, head),
    make("tbody", {}, ...rows));
};

const send = async (method, path, body, output) => {
  const token = document.querySelector("#token input").value;
  const headers = token ? { authorization: `Bearer ${token}` } : {};
  if (body !== undefined) headers["content-type"] = "application/json";
  output.textContent = "…";
  try {
    const answer = await fetch(path.slice(1), { method: method.toUpperCase(), headers, body });
    const text = await answer.text();
    const isJson = answer.headers.get("content-type")?.includes("json");
    output.textContent = `${answer.status}\n${isJson ? JSON.stringify(JSON.parse(text), null, 2) : text}`;
  } catch (error) {
    output.textContent = String(error);
  }
};

const content = (part) => part?.content?.["application/json"]?.schema;

const operation = (api, path, method, about) => {
  const asked = content(resolve(api, about.requestBody));
  const told = content(resolve(api, about.responses["200"]));
  const output = make("pre", { "aria-live": "polite", tabindex: "0" });
  const button = make("button", { type: "button" }, "Send");
  const parts = [make("p", {}, about.description ?? "")];
  let input;
  if (asked) {
    input = make("textarea", { "aria-label": `Body of ${method} ${path}`, spellcheck: "false" });
    input.value = JSON.stringify(example(api, asked), null, 2);
    parts.push(make("h3", {}, "Request"), fields(api, asked), input);
  }
  if (told) parts.push(make("h3", {}, "Answer"), fields(api, told));
  button.addEventListener("click", () => send(method, path, input?.value, output));
  const title = make("summary", {}, make("code", {}, make("span", { class: "method" }, method.toUpperCase()), path),
    " ", make("span", {}, about.summary ?? ""));
  return make("details", {}, title, make("div", { class: "body" }, ...parts, make("p", {}, button), output));
};

const show = (api) => {
  document.querySelector("#summary").replaceChildren(
    `${api.info.summary ?? ""} Version ${api.info.version}, `, make("a", { href: "openapi.json" }, "openapi.json"), ".");
  document.querySelector("#token").hidden = !api.components?.securitySchemes;
  const groups = new Map();
  for (const [path, methods] of Object.entries(api.paths))
    for (const method of METHODS.filter((name) => name in methods)) {
      const group = methods[method].tags?.[0] ?? "more";
      groups.set(group, [...(groups.get(group) ?? []), operation(api, path, method, methods[method])]);
    }
  const main = document.querySelector("#operations");
  for (const [name, operations] of groups) main.append(make("h2", {}, name), ...operations);
};

fetch("openapi.json").then((answer) => answer.json()).then(show).catch((error) => {
  document.querySelector("#summary").textContent = `openapi.json cannot be read: ${error}`;
});
