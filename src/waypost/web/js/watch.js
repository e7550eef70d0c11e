// Scrapes the metrics while somebody looks, and keeps the last five minutes.

import { PATIENCE, text } from "./api.js";
import { parse } from "./promtext.js";

const EVERY = 2000;
const KEPT = 160;

const scrapes = []; // {time, families}, the oldest first

/** Call `tell(scrapes, error)` after each scrape; returns what ends it. */
export function watchMetrics(tell) {
  let timer = 0, over = false;
  const look = async () => {
    let error = null;
    try {
      if (!document.hidden) scrapes.push({ time: Date.now() / 1000, families: parse(await text("api/v1/metrics", { timeout: PATIENCE })) });
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

/** What one scrape may come late, in seconds. */
const LATE = (2 * EVERY) / 1000;

/** The scrape `seconds` before the last. Where nobody looked then, the first one after; null for all that was ever counted. */
export function since(all, seconds) {
  if (!seconds) return null;
  const age = (each) => all.at(-1).time - each.time;
  return all.findLast((each) => age(each) >= seconds && age(each) <= seconds + LATE) ?? all.find((each) => age(each) < seconds);
}

/** How many seconds are counted, where it is less than was asked for; else null. */
export function shorter(all, seconds) {
  const counted = seconds ? all.at(-1).time - since(all, seconds).time : 0;
  return counted < seconds - LATE ? counted : null;
}
