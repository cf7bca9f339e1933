/* Lists what can be used with the tab key, in the order of the page; gives their number. */
const first = (radio) => {
  const group = Array.from((radio.form || document).querySelectorAll("input[type=radio]")).filter((it) => it.name === radio.name);
  return group.find((it) => it.checked) || group[0];
};
const stops = Array.from(document.querySelectorAll("a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex]"))
  .filter((it) => it.tabIndex >= 0 && !it.disabled && it.checkVisibility({ visibilityProperty: true }))
  .filter((it) => it.type !== "radio" || it === first(it));

/* What has the focus now: which of them it is, and what is wrong with it. */
window.stopNow = () => {
  const now = document.activeElement;
  const name = now.tagName + " " + (now.name || now.id || now.className) + " " + (now.innerText || now.value || "").trim().slice(0, 30);
  if (now === document.body) { return { fault: "the focus is nowhere", name }; }
  const at = stops.indexOf(now);
  if (at < 0) {
    const scrolls = now.scrollWidth > now.clientWidth || now.scrollHeight > now.clientHeight;
    return { at: null, name, fault: scrolls ? null : "it cannot be used" };
  }
  const label = now.closest("label") || (now.labels && now.labels[0]) || now;
  const outlined = (it) => getComputedStyle(it).outlineStyle !== "none" || getComputedStyle(it).boxShadow !== "none";
  if (!outlined(now) && !outlined(label)) { return { at, name, fault: "nothing shows that it has the focus" }; }
  const box = now.getClientRects()[0];
  const [x, y] = [box.left + Math.min(box.width, 12) / 2, box.top + box.height / 2];
  if (x < 0 || innerWidth < x || y < 0 || innerHeight < y) { return { at, name, fault: "it is out of sight" }; }
  const hit = document.elementFromPoint(x, y);
  const same = hit && (now.contains(hit) || hit.contains(now) || label.contains(hit));
  return { at, name, fault: same ? null : "something lies over it: " + (hit ? hit.outerHTML.slice(0, 80) : "") };
};
return stops.length;
