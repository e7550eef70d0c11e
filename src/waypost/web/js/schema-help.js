// What the JSON schema says of a place in the configuration.

function resolved(schema, part) {
  const target = part?.$ref ? resolved(schema, part.$ref.slice(2).split("/").reduce((at, key) => at[key], schema)) : part;
  return part?.$ref ? { ...target, ...Object.fromEntries(Object.entries(part).filter(([key]) => key !== "$ref")) } : target;
}

/** A part and what it may be instead, without the `${NAME}` that may stand anywhere. */
const choices = (schema, part) => {
  const whole = resolved(schema, part);
  const inner = (whole?.anyOf ?? whole?.oneOf ?? []).filter((each) => !each.$ref?.endsWith("/Environment"));
  return [whole, ...inner.flatMap((each) => choices(schema, each))].filter(Boolean);
};

const below = (schema, part, key) => {
  for (const each of choices(schema, part)) {
    if (key === 0 && each.items) return each.items;
    const found = each.properties?.[key] ?? Object.values(each.patternProperties ?? {})[0] ?? each.additionalProperties;
    if (key !== 0 && found && typeof found === "object") return found;
  }
  return null;
};

/** {place, description, types, fallback, allowed, keys} of the deepest part of a place that the schema knows. */
export function help(schema, place) {
  let part = schema;
  const known = [];
  for (const key of place) {
    const next = below(schema, part, key);
    if (!next) break;
    part = next;
    known.push(key);
  }
  const found = choices(schema, part);
  const first = (name) => found.find((each) => name in each)?.[name];
  const keys = Object.entries(first("properties") ?? {}).map(([name, each]) => ({
    name, description: choices(schema, each).find((one) => one.description)?.description ?? "",
  }));
  return {
    place: known, description: first("description") ?? "", keys, fallback: first("default"),
    types: [...new Set(found.flatMap((each) => each.type ?? []))].filter((type) => type !== "null"),
    allowed: first("enum") ?? (first("const") === undefined ? [] : [first("const")]),
    examples: first("examples") ?? [],
  };
}
