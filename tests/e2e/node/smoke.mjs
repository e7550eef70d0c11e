// The official Node client against a running router. Prints one JSON object: what each call gave.
//   node smoke.mjs http://127.0.0.1:8801/v1
import OpenAI from "openai";

const client = new OpenAI({ baseURL: process.argv[2], apiKey: "sk-x", maxRetries: 0 });
const messages = [{ role: "user", content: "Tell me a joke about cats" }];
const create = (body) => client.chat.completions.create({ model: "MoM", messages, ...body });

async function failure(call) {
  try {
    await call;
    return null;
  } catch (error) {
    return { class: error.constructor.name, status: error.status, code: error.code, param: error.param };
  }
}

const { data, response } = await create({}).withResponse();

let streamed = "";
for await (const chunk of await create({ stream: true })) {
  streamed += chunk.choices[0]?.delta?.content ?? "";
}

const models = [];
for await (const model of client.models.list()) {
  models.push(model.id);
}

console.log(
  JSON.stringify({
    created: data.choices[0].message.content,
    decision: response.headers.get("x-vsr-selected-decision"),
    streamed,
    models,
    empty: await failure(create({ messages: [] })),
    unknown: await failure(create({ model: "gpt-9" })),
  }),
);
