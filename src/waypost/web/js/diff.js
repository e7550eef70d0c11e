// Which lines two texts share: the longest common subsequence, after what is equal at both ends.

/** [{kind: "same" | "less" | "more", line, before, after}], with 1-based line numbers. */
export function diff(old, fresh) {
  const a = old.split("\n"), b = fresh.split("\n");
  let head = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head += 1;
  let tail = 0;
  while (tail < a.length - head && tail < b.length - head && a.at(-1 - tail) === b.at(-1 - tail)) tail += 1;
  const rows = a.slice(0, head).map((line, i) => ({ kind: "same", line, before: i + 1, after: i + 1 }));
  rows.push(...middle(a.slice(head, a.length - tail), b.slice(head, b.length - tail), head));
  for (let i = tail; i > 0; i -= 1)
    rows.push({ kind: "same", line: a.at(-i), before: a.length - i + 1, after: b.length - i + 1 });
  return rows;
}

function middle(a, b, offset) {
  const longest = lengths(a, b);
  const rows = [];
  for (let i = 0, j = 0; i < a.length || j < b.length;) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      rows.push({ kind: "same", line: a[i], before: offset + ++i, after: offset + ++j });
    } else if (j >= b.length || (i < a.length && longest[i + 1][j] >= longest[i][j + 1])) {
      rows.push({ kind: "less", line: a[i], before: offset + ++i });
    } else {
      rows.push({ kind: "more", line: b[j], after: offset + ++j });
    }
  }
  return rows;
}

function lengths(a, b) {
  const table = Array.from({ length: a.length + 1 }, () => new Uint32Array(b.length + 1));
  for (let i = a.length - 1; i >= 0; i -= 1)
    for (let j = b.length - 1; j >= 0; j -= 1)
      table[i][j] = a[i] === b[j] ? table[i + 1][j + 1] + 1 : Math.max(table[i + 1][j], table[i][j + 1]);
  return table;
}

/** The rows that changed, with a few around them; null stands where rows were left out. */
export function hunks(rows, around = 3) {
  const near = rows.map((_, i) => rows.slice(Math.max(0, i - around), i + around + 1).some((row) => row.kind !== "same"));
  return rows.flatMap((row, i) => (near[i] ? [row] : near[i - 1] || i === 0 ? [null] : []));
}
