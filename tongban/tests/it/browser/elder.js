/* The larger view by its layout (长者版): text of 24 px and up, 60 px to press; gives what falls short, at most five of a kind. */
/* Pages of staff offer no such view. */
if (document.body.matches(".desk")) { return []; }
const shown = (element) => {
  const box = element.getBoundingClientRect();
  const style = getComputedStyle(element);
  return box.width > 1 && box.height > 1 && style.visibility !== "hidden" && element.checkVisibility();
};
const name = (element) => {
  const kind = typeof element.className === "string" && element.className ? "." + element.className.trim().replace(/\s+/g, ".") : "";
  return element.tagName.toLowerCase() + kind + " “" + (element.innerText || element.value || "").trim().slice(0, 20) + "”";
};
const least = (found) => Array.from(found).slice(0, 5).concat(found.size > 5 ? ["and " + (found.size - 5) + " more of that kind"] : []);
const small = new Set();
for (const element of document.querySelectorAll("body *")) {
  const speaks = Array.from(element.childNodes).some((node) => node.nodeType === 3 && node.textContent.trim());
  if (!speaks || element.closest("svg, .sr, .skip, noscript, option, [aria-hidden=true]") || !shown(element)) { continue; }
  const size = parseFloat(getComputedStyle(element).fontSize);
  if (size < 23.95) { small.add("larger view: text of " + size.toFixed(1) + " px: " + name(element)); }
}
const narrow = new Set();
/* A link within a sentence is as high as its line (WCAG 2.5.8). */
const within = (link) => Array.from(link.parentElement.childNodes)
  .some((node) => node !== link && node.nodeType === 3 && node.textContent.trim().length > 1);
for (const target of document.querySelectorAll("a[href], button, input:not([type=hidden]), select, textarea, summary")) {
  /* What a drawing links to, the words beside it link to as well. */
  if (!shown(target) || target.matches(".skip") || target.closest("svg")) { continue; }
  if (target.matches("a") && getComputedStyle(target).display === "inline" && within(target)) { continue; }
  const label = target.matches("[type=radio], [type=checkbox]") ? target.closest("label") || (target.labels && target.labels[0]) : null;
  const box = (label || target).getBoundingClientRect();
  if (box.height < 59.5 || box.width < 59.5) {
    narrow.add("larger view: " + Math.round(box.width) + "×" + Math.round(box.height) + " to press: " + name(target));
  }
}
return least(small).concat(least(narrow));
