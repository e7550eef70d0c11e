// A chat by way of the router's own listener.

import { failure, request } from "./api.js";
import { t } from "./i18n.js";
import { events } from "./sse.js";

const now = () => performance.now() / 1000;

/** Send a chat; `changed(answer)` is called as it comes in. Never throws: what goes wrong is in its error. */
export async function chat(body, signal, changed) {
  const began = now();
  const answer = { text: "", reasoning: "", headers: {}, usage: null, finish: "", error: "", first: 0, total: 0, done: false };
  changed(answer);
  try {
    const response = await request("api/v1/playground/chat", { method: "POST", body, signal });
    answer.headers = Object.fromEntries([...response.headers].filter(([name]) => /^x-|^server-timing$/.test(name)));
    if (response.ok) await read(response, answer, began, changed);
    else answer.error = (await failure(response)).message;
  } catch (error) {
    answer.error = signal.aborted ? t("answer.stopped") : error.message;
  }
  answer.total = now() - began;
  answer.done = true;
  changed(answer);
}

async function read(response, answer, began, changed) {
  if (!response.headers.get("content-type")?.includes("event-stream")) {
    const whole = await response.json();
    take(whole.choices?.[0]?.message, whole, answer, began);
    return;
  }
  let complete = false;
  for await (const data of events(response.body)) {
    complete ||= data === "[DONE]";
    if (complete) continue;
    const event = JSON.parse(data);
    take(event.choices?.[0]?.delta, event, answer, began);
    changed(answer);
  }
  if (!complete) answer.error = t("answer.broken");
}

function take(message, event, answer, began) {
  answer.text += message?.content ?? "";
  answer.reasoning += message?.reasoning_content ?? message?.reasoning ?? "";
  for (const call of message?.tool_calls ?? []) answer.text += (call.function?.name ? `${call.function.name} ` : "") + (call.function?.arguments ?? "");
  if (!answer.first && (answer.text || answer.reasoning)) answer.first = now() - began;
  answer.finish = event.choices?.[0]?.finish_reason ?? answer.finish;
  answer.usage = event.usage ?? answer.usage;
  if (event.error) answer.error = event.error.message;
}
