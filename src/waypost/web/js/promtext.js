// The text exposition of Prometheus, and what can be computed from two of them.

const SAMPLE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})?\s+(\S+)/;
const LABEL = /(\w+)="((?:[^"\\]|\\.)*)"/g;
const ESCAPED = { n: "\n", '"': '"', "\\": "\\" };

const unescape = (text) => text.replace(/\\(.)/g, (_, char) => ESCAPED[char] ?? char);

/** Map of name → [{labels, key, value}]. */
export function parse(text) {
  const families = new Map();
  for (const line of text.split("\n")) {
    const match = line.startsWith("#") ? null : SAMPLE.exec(line);
    if (!match) continue;
    const labels = Object.fromEntries([...(match[2] ?? "").matchAll(LABEL)].map(([, name, value]) => [name, unescape(value)]));
    if (!families.has(match[1])) families.set(match[1], []);
    families.get(match[1]).push({ labels, key: match[2] ?? "", value: Number(match[3]) });
  }
  return families;
}

/** What was added to a counter's samples between two scrapes; without an earlier one, since the start. */
export function growth(later, earlier, name) {
  const before = new Map((earlier?.get(name) ?? []).map((sample) => [sample.key, sample.value]));
  return (later.get(name) ?? []).map((sample) => {
    const grown = sample.value - (before.get(sample.key) ?? 0);
    return { labels: sample.labels, value: grown < 0 ? sample.value : grown }; // less than before: a new process
  });
}

/** Sum samples, by a label where one is named: Map of its value → sum. */
export function sumBy(samples, label) {
  const sums = new Map();
  for (const { labels, value } of samples) sums.set(labels[label], (sums.get(labels[label]) ?? 0) + value);
  return sums;
}

export const sum = (samples) => samples.reduce((total, sample) => total + sample.value, 0);

/** The q-quantile of a histogram's buckets, linear within a bucket as Prometheus has it; NaN without observations. */
export function quantile(buckets, q) {
  const bounds = [...sumBy(buckets, "le")].map(([le, count]) => [le === "+Inf" ? Infinity : Number(le), count]);
  bounds.sort((a, b) => a[0] - b[0]);
  const total = bounds.at(-1)?.[1] ?? 0;
  if (!total) return NaN;
  const index = bounds.findIndex(([, count]) => count >= q * total);
  const [upper, count] = bounds[index];
  const [lower, under] = index ? bounds[index - 1] : [0, 0];
  if (upper === Infinity) return lower;
  return lower + ((upper - lower) * (q * total - under)) / (count - under || 1);
}
