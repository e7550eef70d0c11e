// Requests to the API on this page's own address, with a token where it wants one.

import { askForToken } from "./token.js";

const KEPT = "waypost.token";

export class ApiError extends Error {
  constructor(status, error) {
    super(error?.message ?? `HTTP ${status}`);
    this.status = status;
    this.code = error?.code ?? "";
  }
}

const headers = (body) => {
  const token = sessionStorage.getItem(KEPT);
  return {
    ...(token ? { authorization: `Bearer ${token}` } : {}),
    ...(body === undefined ? {} : { "content-type": "application/json" }),
  };
};

async function send(path, { method = "GET", body, signal } = {}) {
  const content = body === undefined ? undefined : JSON.stringify(body);
  return fetch(path, { method, body: content, headers: headers(body), signal });
}

/** Ask, and once more with a token where there was none or a wrong one. Does not look at any other status. */
export async function request(path, options) {
  const answer = await send(path, options);
  if (answer.status !== 401) return answer;
  const token = await askForToken(sessionStorage.getItem(KEPT) !== null);
  if (!token) return answer;
  sessionStorage.setItem(KEPT, token);
  return request(path, options);
}

export async function failure(answer) {
  const body = await answer.json().catch(() => null);
  return new ApiError(answer.status, body?.error);
}

/** The JSON of an answer. Throws ApiError. */
export async function json(path, options) {
  const answer = await request(path, options);
  if (!answer.ok) throw await failure(answer);
  return answer.json();
}

/** The text of an answer. Throws ApiError. */
export async function text(path) {
  const answer = await request(path);
  if (!answer.ok) throw await failure(answer);
  return answer.text();
}

/** `/ready` answers 503 with the same shape, and never asks for a token. */
export const ready = async () => (await fetch("ready")).json();
