/* What happens in the browser alone: sending forms without a new page, choosing files, the view of the stage, shortcuts.

   Every act is a form that works without this script. The server draws the parts of the page; `apply` puts them in
   place. The page keeps no state of its own but what is typed and the chosen view. */
import { close as closeMarks, paint, start as startMarks, writtenMarks } from "./marks.js";

const find = (selector) => document.querySelector(selector);
const body = document.body;
const instruction = find("#instruction textarea");
const expressive = find("#expressive textarea");

/* ---- What the server draws ---- */

const parsed = (html) => Object.assign(document.createElement("template"), { innerHTML: html }).content;

/* Change only the nodes that differ, so that buttons stay under the pointer, and focus and pictures stay as they are. */
const morph = (old, fresh) => {
  const before = [...old.childNodes], after = [...fresh.childNodes];
  after.forEach((node, index) => {
    const place = before[index];
    if (!place) return old.append(node);
    if (place.nodeType !== Node.ELEMENT_NODE || place.nodeName !== node.nodeName)
      return place.isEqualNode(node) || place.replaceWith(node);
    for (const { name } of [...place.attributes])
      if (name !== "style" && name !== "open" && !node.hasAttribute(name)) place.removeAttribute(name);
    for (const { name, value } of node.attributes)
      if (place.getAttribute(name) !== value) place.setAttribute(name, value);
    morph(place, node);
  });
  before.slice(after.length).forEach((node) => node.remove());
};
const draw = (id, html) => morph(document.getElementById(id), parsed(html));

/* The policy of the page forbids styles in HTML; frames get their shape here. */
const shape = () => {
  for (const frame of document.querySelectorAll("[data-ratio]")) frame.style.setProperty("--ratio", frame.dataset.ratio);
  for (const { style, dataset } of document.querySelectorAll(".cells"))
    for (const name of ["columns", "left", "top"]) style.setProperty(`--${name}`, dataset[name]);
};

/* New words and new versions scroll into sight. In a narrow window the conversation lies below the stage, which shows
   neither answers nor grids: there the page scrolls to these, and to the stage for everything else. */
const narrow = matchMedia("(max-width: 860px)");
const newest = () => [...document.querySelectorAll(".turn")].at(-1);
const stateOf = (turn) => `${turn?.dataset.turn} ${turn?.className.replace(" current", "")}`;
let revealed;
const reveal = (part) => {
  const talk = find("#talk");
  revealed = part;
  if (narrow.matches) part.scrollIntoView({ block: "nearest", behavior: "smooth" });
  else talk.scrollTo({ top: talk.scrollHeight, behavior: "smooth" });
};
let seen;
const follow = () => {
  const now = [newest(), find(".turn.current")].map(stateOf);
  const [isNewer, isMoved] = now.map((state, index) => state !== seen?.[index]);
  if (!isNewer && !isMoved) return;
  find(".strip li:has([aria-current])")?.scrollIntoView({ block: "nearest", inline: "nearest" });
  if (seen || !narrow.matches) reveal(isNewer && newest()?.matches(":not(.current)") ? newest() : find("#stage"));
  seen = now;
};
/* A grid has its height once its picture has come. */
find("#talk").addEventListener("load", ({ target }) => { if (revealed?.contains(target)) reveal(revealed); }, true);

/* What a screen reader says: how the newest edit ended, or which version is the current one now. */
let told;
const tell = () => {
  const last = newest(), current = find(".turn.current");
  const now = [last, current].map(stateOf);
  const changed = told && (now[0] !== told[0] ? last : now[1] !== told[1] ? current : null);
  told = now;
  if (!changed || changed.matches(".queued, .running")) return;
  const parts = [".who", ".expressive", ".status"].map((part) => changed.querySelector(part)?.textContent.trim());
  find("#told").textContent = parts.filter(Boolean).join(". ");
};

/* An answer and an event can cross on their way; what was drawn earlier never replaces what was drawn later. */
let revision = body.dataset.revision;
const isOld = (other) => {
  const [run, number] = other.split("."), [ownRun, own] = revision.split(".");
  return run === ownRun && Number(number) < Number(own);
};

const apply = ({ revision: its, parts, reading, notice, presets, settings, taken }) => {
  if (notice !== undefined) draw("notice", notice);
  if (presets !== undefined) draw("presets", presets);
  for (const [name, value] of Object.entries(settings ?? {})) set(find(`[name=${name}]`), value);
  if (its === undefined) return;
  const wasOld = isOld(its);
  if (taken || (!wasOld && reading !== expressive.dataset.reading)) show(wasOld ? expressive.dataset.reading : reading);
  if (wasOld) return;
  revision = its;
  for (const [id, html] of Object.entries(parts)) draw(id, html);
  if (parts.chooser) lookAt("choosing");
  if (parts.compare) lookAt("comparing");
  shape();
  if (body.classList.contains("marking")) paint();
  follow();
  tell();
};

/* ---- Sending ---- */

/* One after the other, so that words typed ahead arrive in their order. */
let queue = Promise.resolve();
const inTurn = (send) => (queue = queue.then(async () => {
  body.classList.add("sending");
  try {
    const update = await send();
    apply(update);
    return update;
  } catch {
    const notice = find("#lost").innerHTML;
    draw("notice", notice);
    return { notice };
  } finally { body.classList.remove("sending"); }
}));
const post = (path, content) => inTurn(async () =>
  (await fetch(path, { method: "POST", body: content, headers: { Accept: "application/json" } })).json());
/* `fetch` does not say how much of a large picture has been sent. */
const upload = (content) => new Promise((resolve, reject) => {
  const request = new XMLHttpRequest();
  request.open("POST", "pictures");
  request.setRequestHeader("Accept", "application/json");
  request.responseType = "json";
  request.upload.onprogress = ({ loaded, total }) => { find("#giving progress").value = loaded / total; };
  request.onload = () => request.response ? resolve(request.response) : reject();
  request.onerror = reject;
  request.send(content);
});
const ask = async (query) => {
  try {
    apply(await (await fetch(`./?${query}`, { headers: { Accept: "application/json" } })).json());
  } catch { draw("notice", find("#lost").innerHTML); }
};
const act = (name, value = "") => post("act", new URLSearchParams({ [name]: value }));

/* The page puts the model's words into the field of the expressive instruction, too. Only what a user typed there is a
   correction, as long as it stands there as they left it; and it is one of the version shown when they typed. */
let typed = null;
const show = (reading) => { expressive.value = expressive.dataset.reading = reading; typed = null; };
const message = async () => {
  const content = new URLSearchParams(new FormData(find("#message")));
  const words = instruction.value;
  if (typed?.text !== expressive.value) typed = null;
  content.set("expressive", typed?.text ?? "");
  content.set("corrects", typed?.turn ?? "");
  content.set("region", writtenMarks());
  instruction.value = "";
  const marks = closeMarks();
  lookAt("");
  const { taken } = await post("message", content);
  if (!taken && marks.length) startMarks(marks);
  if (!taken && words) instruction.value = [words, instruction.value].filter(Boolean).join("\n");
};

/* The second click of a double click would send an empty field. */
find(".send").addEventListener("click", (event) => { if (event.detail > 1) event.preventDefault(); });

const give = async (file) => {
  if (!file) return;
  const content = new FormData();
  content.set("picture", file);
  find("#giving progress").value = 0;
  body.classList.add("giving");
  const focused = document.activeElement;
  if (!(await inTurn(() => upload(content))).notice) lookAt("");
  body.classList.remove("giving");
  // The event stream can show the picture before this answer comes; who has gone on by then keeps the focus.
  if ([focused, body].includes(document.activeElement)) instruction.focus();
};

addEventListener("submit", (event) => {
  event.preventDefault();
  const { target: form, submitter } = event;
  if (form.id === "message") message();
  else if (form.id === "acts") act(submitter.name, submitter.value);
  else if (form.matches(".two")) ask(new URLSearchParams(new FormData(form)));
  else give(find("#picture-file").files[0]);
  if (["sample", "go_to", "undo", "redo"].includes(submitter?.name)) lookAt("");
});

/* ---- Pictures: a button, a drop anywhere, or a paste ---- */

/* What the left side shows: the version at hand (""), the pictures to choose from, or two versions beside each other. */
const lookAt = (what) => { for (const view of ["choosing", "comparing"]) body.classList.toggle(view, view === what); };
const choices = {
  new: async () => {
    if (!find("#stage .show")) return find("#picture-file").click();
    await act("choose");
    find(".drop").scrollIntoView({ block: "nearest" });
  },
  mine: async () => { await act("choose"); find("#mine")?.scrollIntoView(); },
  open: (button) => { lookAt(""); act("go_to", button.value); },
  stay: () => lookAt(""),
  file: () => find("#picture-file").click(),
};
addEventListener("change", ({ target }) => {
  if (target.matches(".two select")) return target.form.requestSubmit();
  if (target.id !== "picture-file") return;
  give(target.files[0]);
  target.value = "";
});
const carriesFile = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
addEventListener("dragover", (event) => { if (carriesFile(event)) { event.preventDefault(); body.classList.add("dragging"); } });
addEventListener("dragleave", (event) => { if (!event.relatedTarget) body.classList.remove("dragging"); });
addEventListener("drop", (event) => {
  body.classList.remove("dragging");
  if (carriesFile(event)) { event.preventDefault(); give(event.dataTransfer.files[0]); }
});
addEventListener("paste", (event) => {
  const file = [...(event.clipboardData?.files ?? [])].find((f) => f.type.startsWith("image/"));
  if (file) { event.preventDefault(); give(file); }
});

/* ---- Fields ---- */

const slider = (field) => find(`.slider[data-of="${field.id}"]`);
const fill = (range) => range.style.setProperty("--share", (range.value - range.min) / (range.max - range.min));
const set = (field, value) => { field.value = value; follows(field); };
const follows = (field) => { const range = slider(field); if (range && field.value) { range.value = field.value; fill(range); } };

addEventListener("input", ({ target }) => {
  if (target === expressive) typed = { text: target.value, turn: find(".turn.current")?.dataset.turn ?? "" };
  else if (target.matches(".wipe")) target.closest(".show").style.setProperty("--at", target.value);
  else if (target.matches(".slider")) { document.getElementById(target.dataset.of).value = target.value; fill(target); }
  else follows(target);
});
addEventListener("keydown", (event) => {
  const { target, key } = event;
  if (key === "Escape") return closeMenus(), closeMarks(), lookAt("");
  if (key === "Enter" && target.matches("textarea") && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    return message();
  }
  const isTyping = target.matches("textarea, input:not([type=range])") && target.value;
  if (isTyping || !(event.ctrlKey || event.metaKey) || key.toLowerCase() !== "z") return;
  event.preventDefault();
  act(event.shiftKey ? "redo" : "undo");
});

/* ---- The view of the stage and the classic page are this browser's taste, so they stay here ---- */

const look = (view) => { body.dataset.view = view; localStorage.setItem("mgie-view", view); };
/* Whole at first; a click, or Enter, shows its pixels as they are. */
const zoomed = find("#zoom");
const zoom = () => {
  zoomed.querySelector("img").src = (find("#stage .frame.after img") ?? find("#stage .frame.before img")).src;
  zoomed.classList.remove("actual");
  zoomed.showModal();
};
const magnify = ({ offsetX = 0, offsetY = 0, target }) => {
  const [across, down] = [offsetX / target.clientWidth, offsetY / target.clientHeight];
  zoomed.classList.toggle("actual");
  const room = target.parentElement;
  room.scrollTo(across * target.clientWidth - room.clientWidth / 2, down * target.clientHeight - room.clientHeight / 2);
};
zoomed.addEventListener("click", (event) => {
  if (event.target.matches("img")) magnify(event);
  else if (event.target.matches(".zoom-room")) zoomed.close();
});
zoomed.addEventListener("keydown", (event) => {
  event.stopPropagation();
  if (event.key === "Enter" && event.target.matches("img")) magnify({ target: event.target });
});
const arrange = (isClassic) => {
  body.classList.toggle("classic", isClassic);
  localStorage.setItem("mgie-layout", isClassic ? "classic" : "");
  find("[data-layout]").setAttribute("aria-pressed", isClassic);
};
/* A menu closes by a choice, a click beside it, or Escape. */
const closeMenus = (but) => document.querySelectorAll(".saves[open]").forEach((menu) => { if (menu !== but) menu.open = false; });
addEventListener("click", ({ target }) => closeMenus(target.closest("a") ? null : target.closest(".saves")));
addEventListener("click", (event) => {
  const target = event.target.closest("[data-choose], [data-two], [data-dismiss], [data-view], [data-toggle], [data-seed], [data-layout], [data-zoom]");
  if (!target || target === body) return;
  const { choose, view, toggle, seed, layout, dismiss } = target.dataset;
  if (choose) { event.preventDefault(); choices[choose](target); }
  else if (target.dataset.two !== undefined) { event.preventDefault(); ask(target.href.split("?")[1]); }
  else if (target.dataset.zoom !== undefined) zoom();
  else if (dismiss !== undefined) { event.preventDefault(); draw("notice", ""); }
  else if (toggle) target.setAttribute("aria-expanded", body.classList.toggle(toggle));
  else if (layout) arrange(!body.classList.contains("classic"));
  else if (seed) set(find("#seed input"), seed);
  else if (view) look(view);
});

/* ---- What happens on the server. Only a page in sight listens: browsers allow six connections to one address ---- */

const [RETRY_MS, LONGEST_RETRY_MS] = [1000, 60_000];
let events = null;
let retry = RETRY_MS;
const listen = () => {
  events?.close();
  events = document.hidden ? null : new EventSource(`events/${revision}`);
  events?.addEventListener("update", ({ data }) => apply(JSON.parse(data)));
  events?.addEventListener("open", () => { retry = RETRY_MS; });
  events?.addEventListener("error", ({ target }) => {
    if (target !== events || target.readyState !== EventSource.CLOSED) return; // else the browser asks again by itself
    setTimeout(listen, retry);
    retry = Math.min(2 * retry, LONGEST_RETRY_MS);
  });
};
document.addEventListener("visibilitychange", listen);

body.dataset.view = localStorage.getItem("mgie-view") ?? (narrow.matches ? "wipe" : "both");
if (localStorage.getItem("mgie-layout")) arrange(true);
document.querySelectorAll(".slider").forEach(fill);
shape();
follow();
tell();
listen();
