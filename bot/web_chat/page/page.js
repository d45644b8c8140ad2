/* What happens in the browser alone: choosing files, the view of the stage, shortcuts. Everything that changes an
   edit is sent to the server as an act (`data-act`); the page keeps no state of its own but the chosen view. */
(() => {
  const act = (detail) => window.dispatchEvent(new CustomEvent("mgie-act", { detail }));
  const instruction = () => document.querySelector("#instruction textarea");

  const choosing = (is) => document.body.classList.toggle("choosing", is);

  /* Pictures: a button, a drop anywhere, or a paste. The file goes to the server as it is. */
  const picker = Object.assign(document.createElement("input"), { type: "file", accept: "image/*,.heic,.heif,.avif", id: "picture-file" });
  picker.hidden = true;
  picker.addEventListener("change", () => { give(picker.files[0]); picker.value = ""; });
  const give = async (file) => {
    if (!file) return;
    document.body.classList.add("giving");
    try {
      const answer = await fetch("pictures", { method: "POST", body: file, headers: { "Content-Type": "application/octet-stream" } });
      const { text } = await answer.json();
      if (!text) choosing(false);
      act({ act: "given", text });
    } catch {
      act({ act: "given", lost: true });
    } finally {
      document.body.classList.remove("giving");
      instruction()?.focus();
    }
  };
  const carriesFile = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
  addEventListener("dragover", (event) => { if (carriesFile(event)) { event.preventDefault(); document.body.classList.add("dragging"); } });
  addEventListener("dragleave", (event) => { if (!event.relatedTarget) document.body.classList.remove("dragging"); });
  addEventListener("drop", (event) => {
    document.body.classList.remove("dragging");
    if (carriesFile(event)) { event.preventDefault(); give(event.dataTransfer.files[0]); }
  });
  addEventListener("paste", (event) => {
    const file = [...(event.clipboardData?.files ?? [])].find((f) => f.type.startsWith("image/"));
    if (file) { event.preventDefault(); give(file); }
  });

  /* The view of the stage is this browser's taste, so it stays here. */
  const look = (view) => { document.body.dataset.view = view; localStorage.setItem("mgie-view", view); };

  /* The classic page: input, goal, and every field below; this browser's taste, too. */
  const arrange = (isClassic) => {
    document.body.classList.toggle("classic", isClassic);
    localStorage.setItem("mgie-layout", isClassic ? "classic" : "");
    showArrangement();
  };
  const showArrangement = () =>
    document.querySelector("[data-layout]")?.setAttribute("aria-pressed", document.body.classList.contains("classic"));

  /* The seed of a result goes into its field, as if it were typed. */
  const keepSeed = (seed) => {
    const field = document.querySelector("#seed :is(input, textarea)");
    field.value = seed;
    field.dispatchEvent(new Event("input", { bubbles: true }));
  };

  /* The page puts the model's words into the field of the expressive instruction, too. Only what a person typed there
     is a correction, as long as it stands there as they left it; and it is one of the version shown when they typed. */
  let typed = null;
  addEventListener("input", (event) => {
    if (!event.target.matches?.("#expressive :is(input, textarea)")) return;
    typed = { text: event.target.value, turn: document.querySelector(".turn.current")?.dataset.turn ?? "" };
  });
  window.mgieSaid = ([words, expressive, , ...others]) => {
    if (typed?.text !== expressive) typed = null;
    return [words, typed?.text ?? "", typed?.turn ?? "", ...others];
  };

  addEventListener("click", (event) => {
    const target = event.target.closest?.("[data-act], [data-view], [data-toggle], [data-seed], [data-layout]");
    if (!target || target === document.body) return;
    if (target.dataset.toggle) return target.setAttribute("aria-expanded", document.body.classList.toggle(target.dataset.toggle));
    if (target.dataset.layout) return arrange(!document.body.classList.contains("classic"));
    if (target.dataset.seed) return keepSeed(target.dataset.seed);
    if (target.dataset.view) return look(target.dataset.view);
    const wanted = target.dataset.act;
    if (wanted === "new") return document.querySelector(".welcome.over") ? choosing(true) : picker.click();
    if (wanted === "stay") return choosing(false);
    if (wanted === "choose") return picker.click();
    if (wanted === "sample") choosing(false);
    act({ ...target.dataset });
  });
  addEventListener("input", (event) => {
    if (event.target.matches?.(".wipe")) document.getElementById("stage").style.setProperty("--at", event.target.value);
  });
  addEventListener("keydown", (event) => {
    const typing = event.target.matches?.("textarea, input:not([type=range])") && event.target.value;
    if (event.key === "Escape") return choosing(false);
    if (typing || !(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "z") return;
    event.preventDefault();
    act({ act: event.shiftKey ? "redo" : "undo" });
  });

  /* A page that was out of sight may have missed something said in another tab. */
  addEventListener("focus", () => act({ act: "look" }));
  document.addEventListener("visibilitychange", () => document.hidden || act({ act: "look" }));

  /* New words and new versions scroll into sight. */
  const follow = () => {
    const talk = document.getElementById("talk");
    if (!talk) return setTimeout(follow, 50);
    new MutationObserver(showArrangement).observe(document.getElementById("top"), { childList: true, subtree: true });
    showArrangement();
    new MutationObserver(() => {
      const { lang, dataset } = document.querySelector(".top") ?? document.documentElement;
      document.documentElement.lang = lang;
      document.title = dataset.title ?? document.title;
      talk.scrollTo({ top: talk.scrollHeight, behavior: "smooth" });
      document.querySelector(".strip li:has([aria-current])")?.scrollIntoView({ block: "nearest", inline: "nearest" });
    }).observe(talk, { childList: true, subtree: true, characterData: true });
  };
  const start = () => {
    document.body.append(picker);
    const narrow = matchMedia("(max-width: 860px)").matches;
    document.body.dataset.view = localStorage.getItem("mgie-view") ?? (narrow ? "wipe" : "both");
    if (localStorage.getItem("mgie-layout")) arrange(true);
    follow();
  };
  document.body ? start() : addEventListener("DOMContentLoaded", start);
})();
