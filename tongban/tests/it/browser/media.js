/* The page on paper, or in colours that the reader sets; gives its faults in words. */
const faults = [];
const media = arguments[0];
const name = (element) => element.tagName.toLowerCase() + " “" + (element.innerText || element.value || "").trim().slice(0, 20) + "”";
const shown = Array.from(document.querySelectorAll("body *")).filter((it) => it.checkVisibility() && !it.closest("svg, .sr, .skip"));
if (media === "print") {
  /* What can only be pressed has no place on paper; nor have the menu, the foot and the way past the head. */
  for (const element of shown.filter((it) => it.matches("button, nav, .tools, .demo-line, .help, .foot, input[type=submit]")).slice(0, 5)) {
    faults.push("printed: " + name(element));
  }
}
if (media === "forced-colours") {
  /* A background is gone then: what is pressed needs a line around it, or to be underlined. */
  for (const element of shown.filter((it) => it.matches("a.btn, button, input:not([type=hidden]), select, textarea"))) {
    const style = getComputedStyle(element);
    const lined = parseFloat(style.borderTopWidth) > 0 || parseFloat(style.borderBottomWidth) > 0;
    if (!lined && !style.textDecorationLine.includes("underline") && !element.matches("[type=radio], [type=checkbox], [type=file]")) {
      faults.push("nothing shows that it can be pressed: " + name(element));
    }
  }
}
return faults.slice(0, 8);
