// What a person unfolded stays so when a page renews itself.
(() => {
  let remembered = new Map();
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (!["live", "overview"].includes(event.target.id)) return;
    remembered = new Map([...document.querySelectorAll("details[id]")].map((each) => [each.id, each.open]));
  });
  document.addEventListener("htmx:afterSwap", () => {
    for (const [id, open] of remembered) {
      const each = document.getElementById(id);
      if (each && open) each.open = true;
    }
    remembered = new Map();
  });
})();
