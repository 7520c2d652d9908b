// What a person unfolded, and where they read in a text, stays so when a page renews itself.
(() => {
  const RENEWED = ["live", "overview", "review"];
  let unfolded = new Map();
  let read = new Map();
  let keepsButtons = false;
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (!RENEWED.includes(event.target.id)) return;
    const verbs = /data-verbs="([^"]*)"/.exec(event.detail.serverResponse)?.[1];
    keepsButtons = verbs === event.target.dataset.verbs;
    unfolded = new Map([...document.querySelectorAll("details[id]")].map((each) => [each.id, each.open]));
    read = new Map([...document.querySelectorAll("pre[id]")].map((each) => [each.id, each.scrollTop]));
  });
  // The buttons above a page are only made anew when others are offered: an open menu stays open.
  document.addEventListener("htmx:oobBeforeSwap", (event) => {
    if (event.detail.target.id === "header-inner" && keepsButtons) event.detail.shouldSwap = false;
  });
  document.addEventListener("htmx:afterSwap", () => {
    for (const [id, open] of unfolded) {
      const each = document.getElementById(id);
      if (each) each.open = open;
    }
    for (const [id, top] of read) document.getElementById(id)?.scrollTo(0, top);
    unfolded = new Map();
    read = new Map();
  });
  // The text beside a review follows it, step by step.
  let waits = false;
  const follow = () => {
    waits = false;
    const text = document.getElementById("text");
    if (!text || getComputedStyle(text.parentElement).position !== "sticky") return;
    const steps = [...document.querySelectorAll(".g-step")].filter((each) => each.offsetParent);
    const step = steps.find((each) => each.getBoundingClientRect().bottom > 120);
    const line = step && document.querySelector(step.querySelector(".g-at").getAttribute("href"));
    if (!line || step.getBoundingClientRect().top > innerHeight / 2) return;
    text.scrollTo(0, line.offsetTop - text.offsetTop - 12);
  };
  document.addEventListener("scroll", () => {
    if (!waits) requestAnimationFrame(follow);
    waits = true;
  });
  // A line number leads to its line in the text beside it; what is read does not move.
  document.addEventListener("click", (event) => {
    const number = event.target.closest?.('a[href^="#line-"]');
    const line = number && document.querySelector(number.getAttribute("href"));
    const text = line?.closest("pre");
    if (!text || getComputedStyle(text.parentElement).position !== "sticky") return;
    event.preventDefault();
    history.replaceState(null, "", number.hash);
    text.scrollTo({ top: line.offsetTop - text.offsetTop - text.clientHeight / 3, behavior: "smooth" });
    document.querySelectorAll("[data-shown]").forEach((each) => delete each.dataset.shown);
    line.dataset.shown = "";
  });
})();
