// Where everything stands in the picture of a request's way, on wide and on narrow screens.

import { t } from "../i18n.js";

const line = (...points) => points.map(([x, y], i) => `${i ? "L" : "M"}${x} ${y}`).join("");

const GUARD = 2; // the box at which a blocked request turns round
const lit = (i, found) => Boolean(found) && (!found.blocked || i <= GUARD);

/** `stages`: [name, value] of each box of waypost; `models`: the pool's names. */
export function landscape(stages, models, found) {
  const width = 1000, pitch = 46, tall = Math.max(300, models.length * pitch + 20);
  const envoy = { x: 300, y: 40, w: 330, h: 58, name: t("topology.envoy"), lit: true };
  const client = { x: 20, y: 40, w: 150, h: 58, name: t("topology.client"), lit: true };
  const own = { x: 20, y: 168, w: 770, h: 124 };
  const w = 116, gap = 9.6, top = own.y + 42;
  const inside = stages.map(([name, value], i) => ({
    x: own.x + 13 + i * (w + gap), y: top, w, h: 64, name, value, kind: "stage", lit: lit(i, found),
  }));
  const pool = models.map((name, i) => ({ x: 820, y: 26 + i * pitch, w: 170, h: 36, name, kind: "model", lit: name === found?.selected_model && !found.blocked }));
  const door = [envoy.x + 30, envoy.y + envoy.h], out = [envoy.x + envoy.w - 30, envoy.y + envoy.h], middle = top + 32;
  const chosen = pool.find((each) => each.lit), turn = inside[GUARD].x + w / 2;
  const enter = [[client.x + client.w, 69], [door[0], 69], door, [door[0], 140], [inside[0].x + w / 2, 140], [inside[0].x + w / 2, middle]];
  const exit = [[inside.at(-1).x + w / 2, middle], [inside.at(-1).x + w / 2, 140], [out[0], 140], [out[0], 69]];
  const back = [[turn, middle], [turn, 82], [client.x + client.w, 82]];
  const reach = ({ x, y, h }) => [[x - 14, 69], [x - 14, y + h / 2], [x, y + h / 2]];
  const gate = [envoy.x + envoy.w, 69];
  const ways = [line(...enter), line([inside[0].x, middle], ...exit), ...pool.map((each) => line(gate, ...reach(each)))];
  const path = found?.blocked ? line(...enter, ...back) : line(...enter, ...exit, gate, ...(chosen ? reach(chosen) : []));
  return { width, height: tall + 20, own: { ...own, title: own.w / 2 - 24 }, boxes: [client, envoy, ...inside, ...pool], ways, path };
}

export function portrait(stages, models, found, available) {
  const width = Math.max(300, Math.min(available, 480)), w = width - 80, x = 40, step = 62;
  const client = { x, y: 10, w, h: 42, name: t("topology.client"), lit: true };
  const envoy = { x, y: 76, w, h: 42, name: t("topology.envoy"), lit: true };
  const own = { title: 14, x: 14, y: 142, w: width - 28, h: stages.length * step + 44 };
  const inside = stages.map(([name, value], i) => ({ x, y: own.y + 34 + i * step, w, h: 50, name, value, kind: "stage", lit: lit(i, found) }));
  const first = own.y + own.h + 26;
  const pool = models.map((name, i) => ({ x, y: first + i * 44, w, h: 34, name, kind: "model", lit: name === found?.selected_model && !found.blocked }));
  const middle = width / 2, chosen = pool.find((each) => each.lit), turn = inside[GUARD].y + 25;
  const left = 26, last = inside.at(-1).y + 50;
  const end = chosen ? [[middle, last], [middle, first - 13], [left, first - 13], [left, chosen.y + 17], [x, chosen.y + 17]] : [[middle, last]];
  const path = found?.blocked ? line([middle, 52], [middle, turn], [left, turn], [left, 31], [x, 31]) : line([middle, 52], ...end);
  const ways = [line([middle, 52], [middle, first - 13]), ...pool.map((each) => line([middle, first - 13], [left, first - 13], [left, each.y + 17], [x, each.y + 17]))];
  return { width, height: first + models.length * 44 + 6, own, boxes: [client, envoy, ...inside, ...pool], ways, path };
}
