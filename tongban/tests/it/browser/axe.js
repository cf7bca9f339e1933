/* Asks axe-core, which stands in the page already, for every violation; gives them in words. */
const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
const how = { runOnly: { type: "tag", values: tags }, resultTypes: ["violations"], rules: { "target-size": { enabled: true } } };
return window.axe.run(document, how).then((found) => found.violations.map((it) => {
  const first = it.nodes[0];
  const why = first.any.concat(first.all, first.none).map((check) => check.message).join("; ");
  const more = it.nodes.length > 1 ? " and " + (it.nodes.length - 1) + " more" : "";
  return "axe " + it.id + ", " + it.impact + ": " + first.html.slice(0, 140) + more + ": " + why;
}));
