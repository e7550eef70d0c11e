// Where in a YAML document the cursor is: the keys above it, by indentation. Enough for help; the server judges.

const LINE = /^(\s*)((?:- +)*)(?:(["']?)([\w.\- ]+?)\3\s*:(?=\s|$))?/;
const EMPTY = /^\s*(?:#.*)?$/;

/** The keys down to where the cursor is, `["models", "a", "endpoints"]`; 0 stands for an entry of a list. */
export function placeAt(text, offset) {
  const end = text.indexOf("\n", offset);
  const lines = text.slice(0, end < 0 ? undefined : end).split("\n");
  const column = offset - (text.lastIndexOf("\n", offset - 1) + 1);
  const place = [];
  let edge = EMPTY.test(lines.at(-1)) ? column : Infinity;
  let listed = false; // the entry of a list was found, whose key may stand in the same column
  for (const line of lines.toReversed()) {
    const [, space, dashes, , key] = LINE.exec(line);
    if (EMPTY.test(line)) continue;
    const start = space.length, keyed = start + dashes.length;
    if (key && (keyed < edge || (listed && !dashes && keyed === edge))) {
      place.unshift(key);
      [edge, listed] = [keyed, false];
    }
    if (dashes && start < edge) {
      place.unshift(0);
      [edge, listed] = [start, true];
    }
  }
  return [...place, ...flow(lines.at(-1).slice(0, column))];
}

/** The keys of what stands open in braces on the cursor's line: `{prompt_per_1m: 1, curr|`. */
function flow(line) {
  const open = [];
  const inMap = () => open.length && open.at(-1) !== 0;
  for (const [token, key] of line.matchAll(/[{}[\],]|([\w-]+)\s*:\s*/g)) {
    if (token === "{") open.push(null);
    else if (token === "[") open.push(0);
    else if (token === "}" || token === "]") open.pop();
    else if (inMap()) open[open.length - 1] = key ?? null;
  }
  return open.filter((key) => key !== null);
}
