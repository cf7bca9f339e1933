/* Looks over one page as it stands; gives back its faults in words, an empty list for a good page. */
const faults = [];
const shown = (element) => {
  const box = element.getBoundingClientRect();
  const style = getComputedStyle(element);
  return box.width > 0 && box.height > 0 && style.visibility !== "hidden" && style.opacity !== "0";
};
const all = (selector) => Array.from(document.querySelectorAll(selector));
const name = (element) => {
  const text = (element.innerText || element.value || "").trim().slice(0, 24);
  const id = element.id ? "#" + element.id : element.getAttribute("name") ? "[name=" + element.getAttribute("name") + "]" : "";
  const kind = typeof element.className === "string" && element.className ? "." + element.className.trim().replace(/\s+/g, ".") : "";
  return element.tagName.toLowerCase() + id + kind + (text ? " “" + text + "”" : "");
};

/* One page, one heading, a language, a title. */
if (!/^(zh|en)/.test(document.documentElement.lang)) { faults.push("no language"); }
if (!document.title.trim()) { faults.push("no title"); }
const firsts = all("h1").filter(shown);
if (firsts.length !== 1) { faults.push(firsts.length + " first headings"); }
let level = 0;
for (const heading of all("main h1, main h2, main h3, main h4").filter(shown)) {
  /* The summary of errors stands above the heading of the page. */
  if (heading.closest(".errors")) { continue; }
  const next = Number(heading.tagName[1]);
  if (next > level + 1) { faults.push("a heading skips a level: " + name(heading)); }
  level = next;
}
if (all("main").length !== 1) { faults.push("no main part, or several"); }

/* Nothing is wider than the screen; a telephone makes its window as wide as what stands in it. */
const width = arguments[0];
const page = document.scrollingElement;
if (page.scrollWidth > width) {
  const wide = all("body *").filter((it) => it.getBoundingClientRect().right > width + 0.5).slice(0, 3);
  faults.push("scrolls sideways: " + page.scrollWidth + " > " + width + ", by " + wide.map(name).join(", "));
}

for (const part of all(".nav a, .tools a").filter(shown)) {
  const right = part.getBoundingClientRect().right;
  if (right > width + 0.5 && !part.closest("[data-view=elder]")) { faults.push("cut off at the edge: " + name(part)); }
}

/* Every field has a label, everything to press has a name. */
for (const field of all("input:not([type=hidden]), select, textarea")) {
  const labelled = (field.labels && field.labels.length > 0) || field.getAttribute("aria-label") || field.getAttribute("aria-labelledby");
  if (!labelled) { faults.push("a field without a label: " + name(field)); }
}
for (const target of all("a[href], button, summary")) {
  const named = target.textContent.trim() || target.getAttribute("aria-label") || target.getAttribute("aria-labelledby");
  if (!named && target.getAttribute("aria-hidden") !== "true") { faults.push("nothing says what this does: " + target.outerHTML.slice(0, 80)); }
}
for (const image of all("img")) {
  if (!image.hasAttribute("alt")) { faults.push("a picture without words: " + image.src); }
}

/* What refers to something finds it, and every name is given once. */
const ids = new Map();
for (const element of all("[id]")) { ids.set(element.id, (ids.get(element.id) || 0) + 1); }
for (const [id, count] of ids) { if (count > 1) { faults.push("id " + id + " " + count + " times"); } }
for (const kind of ["for", "aria-labelledby", "aria-describedby", "aria-controls"]) {
  for (const element of all("[" + kind + "]")) {
    for (const id of element.getAttribute(kind).split(/\s+/)) {
      if (id && !ids.has(id)) { faults.push(kind + "=" + id + " finds nothing, on " + name(element)); }
    }
  }
}
for (const link of all('a[href^="#"]')) {
  const id = link.getAttribute("href").slice(1);
  if (id && !ids.has(id)) { faults.push("#" + id + " leads nowhere, on " + name(link)); }
}

/* What is pressed is big enough: 24 px, links within a sentence excepted. */
const within = (link) => Array.from(link.parentElement.childNodes)
  .some((node) => node !== link && node.textContent.trim() && (node.nodeType === 3 || getComputedStyle(node).display.startsWith("inline")));
for (const target of all("a[href], button, input:not([type=hidden]), select, textarea, summary").filter(shown)) {
  if (target.matches("a") && getComputedStyle(target).display === "inline" && within(target)) { continue; }
  if (target.matches(".skip")) { continue; }
  const label = target.matches("[type=radio], [type=checkbox]") ? target.closest("label") || (target.labels && target.labels[0]) : null;
  const box = (label || target).getBoundingClientRect();
  if (box.width < 24 || box.height < 24) {
    faults.push("too small to press: " + Math.round(box.width) + "×" + Math.round(box.height) + " " + name(target));
  }
}

/* Text stands out from what lies behind it: 4.5 to 1, 3 to 1 where it is large. */
const colour = (text) => {
  const parts = (text.match(/[\d.]+/g) || []).map(Number);
  const scale = text.startsWith("color(srgb") ? 255 : 1;
  return parts.length < 3 || !/^(rgb|color\(srgb)/.test(text) ? null
    : { r: parts[0] * scale, g: parts[1] * scale, b: parts[2] * scale, a: parts.length > 3 ? parts[3] : 1 };
};
const over = (top, below) => ({
  r: top.r * top.a + below.r * (1 - top.a), g: top.g * top.a + below.g * (1 - top.a), b: top.b * top.a + below.b * (1 - top.a), a: 1,
});
const light = ({ r, g, b }) => {
  const part = (value) => { const it = value / 255; return it <= 0.03928 ? it / 12.92 : Math.pow((it + 0.055) / 1.055, 2.4); };
  return 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
};
const behind = (element) => {
  const layers = [];
  for (let it = element; it; it = it.parentElement) {
    const style = getComputedStyle(it);
    if (style.backgroundImage !== "none") { return null; }
    const own = colour(style.backgroundColor);
    if (!own) { return null; }
    layers.push(own);
    if (own.a === 1) { break; }
  }
  return layers.reverse().reduce((below, top) => over(top, below), { r: 255, g: 255, b: 255, a: 1 });
};
const faint = new Set();
for (const element of all("body *").filter(shown)) {
  const speaks = Array.from(element.childNodes).some((node) => node.nodeType === 3 && node.textContent.trim());
  if (!speaks || element.closest("svg, [aria-hidden=true], [disabled], .sr, .skip, noscript")) { continue; }
  const style = getComputedStyle(element);
  const below = behind(element);
  const ink = colour(style.color);
  if (!below || !ink) { continue; }
  const [one, other] = [light(over(ink, below)), light(below)];
  const contrast = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
  const size = parseFloat(style.fontSize);
  const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
  if (contrast < (large ? 3 : 4.5) - 0.01) { faint.add("too faint, " + contrast.toFixed(2) + ": " + name(element)); }
}
faults.push(...Array.from(faint).slice(0, 5));

/* A Chinese sentence on an English page says that it is one, or a voice would read it as noise; proper names are as they are (WCAG 3.1.2). */
if (document.documentElement.lang.startsWith("en")) {
  const sentence = /\p{Script=Han}.*[。，；：？！]|[。，；：？！].*\p{Script=Han}/su;
  const told = (element) => element.closest("[lang^=zh], [aria-hidden=true], script, style, noscript, textarea");
  const untold = new Set();
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const text = texts.currentNode;
    if (sentence.test(text.data) && !told(text.parentElement)) { untold.add("Chinese that does not say so: " + text.data.trim().slice(0, 40) + " in " + name(text.parentElement)); }
  }
  for (const element of all("[aria-label], [placeholder], [title], [alt]")) {
    for (const key of ["aria-label", "placeholder", "title", "alt"]) {
      if (sentence.test(element.getAttribute(key) || "") && !told(element)) { untold.add("Chinese in " + key + ": " + name(element)); }
    }
  }
  faults.push(...Array.from(untold).slice(0, 8));
}

/* Nothing that is a program's showed through. */
const words = document.body.innerText;
for (const sign of ["undefined", "[object", "{{", "}}", "Some(", "NaN"]) {
  if (words.includes(sign)) { faults.push("shows " + sign); }
}
return faults;
