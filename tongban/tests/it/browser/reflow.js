/* The page in a window of 320 by 256 (WCAG 1.4.10: 1280 by 1024 at 400 %): nothing sideways, nothing cut; gives the faults. */
const faults = [];
const width = arguments[0];
const name = (element) => {
  const kind = typeof element.className === "string" && element.className ? "." + element.className.trim().replace(/\s+/g, ".") : "";
  return element.tagName.toLowerCase() + kind + " “" + (element.innerText || element.value || "").trim().slice(0, 20) + "”";
};
const page = document.scrollingElement;
const scrolls = (element) => {
  for (let it = element; it && it !== document.body; it = it.parentElement) {
    if (/auto|scroll/.test(getComputedStyle(it).overflowX)) { return true; }
  }
  return false;
};
const all = Array.from(document.querySelectorAll("body *")).filter((it) => it.checkVisibility() && !it.closest("svg, .sr, .skip"));
if (page.scrollWidth > width) {
  const wide = all.filter((it) => it.getBoundingClientRect().right > width + 0.5 && !scrolls(it)).slice(-3);
  faults.push("at " + width + " px: scrolls sideways, " + page.scrollWidth + " > " + width + ", by " + wide.map(name).join(", "));
}
for (const element of all) {
  const style = getComputedStyle(element);
  const hides = (way) => way === "hidden" || way === "clip";
  const speaks = element.textContent.trim() && !element.matches("canvas, select, textarea, input");
  if (speaks && hides(style.overflowX) && element.scrollWidth > element.clientWidth + 1 && element.clientWidth > 1) {
    faults.push("at " + width + " px: cut off on the right: " + name(element));
  }
  if (speaks && hides(style.overflowY) && element.scrollHeight > element.clientHeight + 1 && element.clientHeight > 1) {
    faults.push("at " + width + " px: cut off below: " + name(element));
  }
}
/* What stays in its place while the page scrolls leaves most of a low window to the page. */
/* The head of a table stays at the top of its own table only. */
const staying = all.filter((it) => !it.matches("th, thead") && /fixed|sticky/.test(getComputedStyle(it).position) && it.getBoundingClientRect().height > 0);
const taken = staying.reduce((sum, it) => sum + Math.min(it.getBoundingClientRect().height, innerHeight), 0);
if (taken > innerHeight / 2) { faults.push("at " + width + " px: half the window and more stays taken by " + staying.map(name).join(", ")); }
return faults.slice(0, 6);
