// A textarea knows no line end but \n; a file may have others, and keeps them.

import { diff } from "./diff.js";

/** As a textarea has it. */
export const plain = (text) => text.replace(/\r\n?/g, "\n");

/** `text` out of a textarea, with the line ends of `old`, which it was edited from: a line that was not touched stays as it was. */
export function restore(text, old) {
  const ends = old.match(/\r\n?|\n/g) ?? [];
  const usual = ends[0] ?? "\n";
  if (ends.every((each) => each === usual)) return text.replaceAll("\n", usual);
  const lines = diff(plain(old), text).filter((row) => row.kind !== "less");
  return lines.map((row, i) => row.line + (i === lines.length - 1 ? "" : ends[row.before - 1] ?? usual)).join("");
}
