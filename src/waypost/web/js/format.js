// Numbers as people read them.

import { language } from "./i18n.js";

const NOTHING = "–";
const locale = () => (language() === "zh" ? "zh-CN" : "en");
const missing = (value) => value === null || value === undefined || Number.isNaN(value);

export function number(value, digits = 0) {
  if (missing(value)) return NOTHING;
  return new Intl.NumberFormat(locale(), { maximumFractionDigits: digits, minimumFractionDigits: digits }).format(value);
}

/** 1234567 → 1.2M */
export function compact(value) {
  if (missing(value)) return NOTHING;
  return new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 }).format(value);
}

export const score = (value) => (missing(value) ? NOTHING : value.toFixed(Math.abs(value) < 10 ? 2 : 0));

export const signed = (value) => {
  if (missing(value)) return "";
  return `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(2)}`;
};

export function percent(value) {
  if (missing(value) || !Number.isFinite(value)) return NOTHING;
  const whole = value * 100;
  return `${whole.toFixed(whole > 0 && whole < 10 ? 1 : 0)} %`;
}

/** A time in seconds, with the unit that fits it. */
export function duration(seconds) {
  if (missing(seconds) || !Number.isFinite(seconds)) return NOTHING;
  if (seconds < 0.001) return `${Math.round(seconds * 1e6)} µs`;
  if (seconds < 1) return `${(seconds * 1000).toFixed(seconds < 0.01 ? 1 : 0)} ms`;
  return seconds < 100 ? `${seconds.toFixed(seconds < 10 ? 2 : 1)} s` : `${Math.round(seconds / 60)} min`;
}

/** Small amounts keep three digits, however small they are. */
export function money(amount, currency = "") {
  if (missing(amount)) return NOTHING;
  const digits = Math.abs(amount) >= 1 || amount === 0 ? { maximumFractionDigits: 2 } : { maximumSignificantDigits: 3 };
  return `${new Intl.NumberFormat("en", digits).format(amount)} ${currency}`.trim();
}

export function bytes(value) {
  if (missing(value)) return NOTHING;
  return value >= 1e9 ? `${(value / 1e9).toFixed(1)} GB` : `${(value / 1e6).toFixed(1)} MB`;
}

export const clock = (unix) => new Date(unix * 1000).toLocaleTimeString(locale(), { hour12: false });
export const moment = (unix) => new Date(unix * 1000).toLocaleString(locale(), { hour12: false });

/** The time of day, with the date where it was not today. */
export function lately(unix, now = new Date()) {
  const then = new Date(unix * 1000);
  if (then.toDateString() === now.toDateString()) return clock(unix);
  const year = then.getFullYear() === now.getFullYear() ? {} : { year: "numeric" };
  return `${then.toLocaleDateString(locale(), { ...year, month: "short", day: "numeric" })} ${clock(unix)}`;
}
