// Requests to the API on this page's own address, with a token where it wants one.

import { t } from "./i18n.js";
import { askForToken } from "./token.js";

const KEPT = "waypost.token";

/** How long a request that is made again and again may take: a router that hangs is as good as none. */
export const PATIENCE = 5000;

export class ApiError extends Error {
  constructor(status, error) {
    super(error?.message ?? `HTTP ${status}`);
    this.status = status; // 0: no answer came
    this.code = error?.code ?? "";
  }
}

let guarded = false; // this router has asked for a token
let declined = false; // whoever closed the dialog is not asked again, but may ask for it

const kept = () => sessionStorage.getItem(KEPT);

/** Whether this router is known to want tokens. `waypost:guarded` tells when that is found out. */
export const wantsToken = () => guarded || kept() !== null;

const headers = (token, body) => ({
  ...(token ? { authorization: `Bearer ${token}` } : {}),
  ...(body === undefined ? {} : { "content-type": "application/json" }),
});

/** A browser has its own words, in its own language, for a request without an answer. */
const heard = (error) =>
  error instanceof TypeError || error.name === "TimeoutError" ? new ApiError(0, { code: "gone", message: t("state.gone") }) : error;

async function send(path, token, { method = "GET", body, signal, timeout }) {
  const content = body === undefined ? undefined : JSON.stringify(body);
  const ends = timeout ? AbortSignal.timeout(timeout) : signal;
  return fetch(path, { method, body: content, headers: headers(token, body), signal: ends }).catch((error) => { throw heard(error); });
}

/** Ask, and once more with a token where there was none or a wrong one. Does not look at any other status. */
export async function request(path, options = {}) {
  const token = kept();
  const answer = await send(path, token, options);
  if (answer.status !== 401) return answer;
  if (!guarded) {
    guarded = true;
    dispatchEvent(new Event("waypost:guarded"));
  }
  if (token === kept()) { // else there is another by now
    if (declined) return answer;
    declined = !(await ask(token === null ? "token.why" : "token.wrong"));
    if (declined) return answer;
  }
  return request(path, options);
}

async function ask(why) {
  const token = await askForToken(why);
  if (token) sessionStorage.setItem(KEPT, token);
  return token;
}

/** Somebody wants to give a token: `waypost:token` tells when there is one. */
export async function anotherToken() {
  if (!(await ask("token.role"))) return;
  declined = false;
  dispatchEvent(new Event("waypost:token"));
}

export async function failure(answer) {
  const body = await answer.json().catch(() => null);
  return new ApiError(answer.status, body?.error);
}

async function read(path, options, how) {
  const answer = await request(path, options);
  if (!answer.ok) throw await failure(answer);
  return answer[how]().catch((error) => { throw heard(error); });
}

/** The JSON of an answer. Throws ApiError. `options`: those of fetch, and milliseconds of `timeout`. */
export const json = (path, options) => read(path, options, "json");

/** The text of an answer. Throws ApiError. */
export const text = (path, options) => read(path, options, "text");

/** `/ready` answers 503 with the same shape, and never asks for a token. */
export const ready = async () => (await fetch("ready", { signal: AbortSignal.timeout(PATIENCE) })).json();
