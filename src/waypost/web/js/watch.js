// Scrapes the metrics while somebody looks, and keeps the last five minutes.

import { text } from "./api.js";
import { parse } from "./promtext.js";

const EVERY = 2000;
const KEPT = 150;

const scrapes = []; // {time, families}, the oldest first

/** Call `tell(scrapes, error)` after each scrape; returns what ends it. */
export function watchMetrics(tell) {
  let timer = 0, over = false;
  const look = async () => {
    let error = null;
    try {
      if (!document.hidden) scrapes.push({ time: Date.now() / 1000, families: parse(await text("api/v1/metrics")) });
      if (scrapes.length > KEPT) scrapes.shift();
    } catch (caught) {
      error = caught;
    }
    if (over) return;
    tell(scrapes, error);
    timer = setTimeout(look, EVERY);
  };
  look();
  return () => { over = true; clearTimeout(timer); };
}

/** The scrape that `seconds` before the last one was the last; null for all that was ever counted. */
export function since(all, seconds) {
  if (!seconds) return null;
  const from = all.at(-1).time - seconds;
  return all.findLast((each) => each.time <= from) ?? all[0];
}
