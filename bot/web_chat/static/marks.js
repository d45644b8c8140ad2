/* Where the picture may change: boxes and strokes over the picture on the stage, by pointer, touch or keys.

   They are kept here until they are sent with an instruction, in parts of the picture, so that they fit any size. */
const UNIT = 10_000, LONGEST = 18_000; // characters that the server takes, and some room
const NEAR = 0.004, STEP = 0.02, LEAP = 0.1; // parts of the picture
const find = (selector) => document.querySelector(selector);
const body = document.body;
const canvas = () => find("#stage canvas.marks");

let shapes = [];
let tool = "box";
let open = null; // the shape that is being drawn
let pointer = null; // the pointer that draws it
let cursor = null; // where the keys are; null while a pointer is used
let viewBefore = null;

/* ---- As text, as the server reads it ---- */

const whole = (part) => Math.round(part * UNIT);
const written = ({ radius, points }) => radius
  ? ["line", whole(radius), ...points.flat().map(whole)].join(" ")
  : ["box", ...[points[0], points.at(-1)].flat().map(whole)].join(" ");
export const writtenMarks = () => shapes.map(written).join(";");

/* ---- Drawing ---- */

export const paint = () => {
  const on = canvas();
  if (!on) return close();
  const { clientWidth: width, clientHeight: height } = on, sharp = devicePixelRatio || 1;
  on.width = width * sharp;
  on.height = height * sharp;
  const pen = on.getContext("2d");
  pen.scale(sharp, sharp);
  pen.fillStyle = pen.strokeStyle = getComputedStyle(on).color;
  pen.lineCap = pen.lineJoin = "round";
  const placed = ([x, y]) => [x * width, y * height];
  for (const { radius, points } of open ? [...shapes, open] : shapes) {
    const [first, last] = [placed(points[0]), placed(points.at(-1))];
    if (!radius) { pen.fillRect(...first, last[0] - first[0], last[1] - first[1]); continue; }
    pen.lineWidth = 2 * Math.max(1, radius * Math.max(width, height));
    pen.beginPath();
    pen.moveTo(...first);
    for (const point of points) pen.lineTo(...placed(point));
    pen.lineTo(...last);
    pen.stroke();
  }
  if (!cursor) return;
  const [x, y] = placed(cursor);
  pen.lineWidth = 2;
  pen.strokeStyle = "#fff";
  pen.setLineDash(open ? [] : [4, 4]);
  pen.strokeRect(x - 9, y - 9, 18, 18);
};

const begin = (point) => {
  if (writtenMarks().length > LONGEST) return;
  open = { points: [point, point], radius: tool === "brush" ? find("#brush").value / 200 : 0 };
  paint();
};
const move = (point) => {
  if (!open) return;
  const last = open.points.at(-1);
  if (!open.radius) open.points[1] = point;
  else if (Math.hypot(point[0] - last[0], point[1] - last[1]) >= Math.max(NEAR, open.radius / 5) && written(open).length < LONGEST / 2)
    open.points.push(point);
  paint();
};
const end = () => {
  if (!open) return;
  const [first, last] = [open.points[0], open.points.at(-1)];
  const isClick = !open.radius && Math.abs(first[0] - last[0]) < NEAR && Math.abs(first[1] - last[1]) < NEAR;
  if (!isClick) shapes.push(open);
  open = null;
  paint();
};

/* ---- The mode: while it is on, what is marked counts ---- */

const show = () => {
  for (const button of document.querySelectorAll("[data-marking]")) {
    if (["box", "brush"].includes(button.dataset.marking)) button.setAttribute("aria-pressed", button.dataset.marking === tool);
  }
  body.classList.toggle("brushing", tool === "brush");
};
export const start = (kept = []) => {
  if (body.classList.contains("marking") || !canvas()) return;
  shapes = kept;
  viewBefore = body.dataset.view;
  body.dataset.view = "goal";
  body.classList.add("marking");
  show();
  paint();
};
export const close = () => {
  const left = shapes;
  if (!body.classList.contains("marking")) return [];
  [shapes, open, cursor, pointer] = [[], null, null, null];
  body.dataset.view = viewBefore;
  body.classList.remove("marking");
  return left;
};

const at = ({ clientX, clientY, target }) => {
  const { left, top, width, height } = target.getBoundingClientRect();
  return [(clientX - left) / width, (clientY - top) / height].map((part) => Math.min(1, Math.max(0, part)));
};
const isOn = ({ target }) => target.matches?.("canvas.marks");
const drop = () => { [open, pointer] = [null, null]; paint(); };
addEventListener("pointerdown", (event) => {
  if (!isOn(event) || event.button) return;
  if (pointer !== null) return drop(); // a second finger: they zoom, the first one did not mean to draw
  event.target.setPointerCapture(event.pointerId);
  [cursor, pointer] = [null, event.pointerId];
  begin(at(event));
});
addEventListener("pointermove", (event) => { if (event.pointerId === pointer) move(at(event)); });
addEventListener("pointerup", (event) => { if (event.pointerId === pointer) { pointer = null; end(); } });
addEventListener("pointercancel", (event) => { if (event.pointerId === pointer) drop(); });
addEventListener("resize", () => { if (body.classList.contains("marking")) paint(); });

const ways = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const keys = (event) => {
  const way = ways[event.key];
  cursor ??= [0.5, 0.5];
  if (way) {
    const by = event.shiftKey ? LEAP : STEP;
    cursor = cursor.map((part, axis) => Math.min(1, Math.max(0, part + way[axis] * by)));
    move(cursor);
    paint();
  } else if (event.key === " " || event.key === "Enter") open ? end() : begin(cursor);
  else if (event.key === "Backspace") does.last();
  else return;
  event.preventDefault();
  event.stopImmediatePropagation();
};
addEventListener("keydown", (event) => { if (isOn(event)) keys(event); }, true);

const does = {
  start: () => { start(); canvas()?.focus(); },
  box: () => { tool = "box"; show(); },
  brush: () => { tool = "brush"; show(); },
  last: () => { shapes.pop(); paint(); },
  close,
};
addEventListener("click", (event) => {
  const button = event.target.closest("[data-marking]");
  if (button) does[button.dataset.marking]();
});
