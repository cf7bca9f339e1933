/* Opens a page of a running demo as somebody and asks Lighthouse about it: node lighthouse.mjs SITE LOGIN PATH.
   `…` in the path stands for the rest of the first link of `/cases` that begins so; a case is filed where there is none. */
import lighthouse from "lighthouse";
import puppeteer from "puppeteer-core";

const [site, login, wanted] = process.argv.slice(2);
const flags = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"];
const browser = await puppeteer.launch({ executablePath: process.env.CHROME_PATH, headless: true, args: flags });
const page = await browser.newPage();

const press = (css) => Promise.all([page.waitForNavigation(), page.click(css)]);

/* An application from the guide to the receipt, as the driver files it. */
const file = async () => {
  await page.goto(site + "/items/121");
  await page.click("main [name=deciding][value='430300']");
  await press("form[action='/items/121/apply'] button");
  await page.click("main [name=reason][value=expiring]");
  await press("button[name=action][value=next]");
  await page.click("main [name=delivery][value=electronic]");
  await press("button[name=action][value=next]");
  await page.click("main [name=truth]");
  await press("button[name=action][value=next]");
  await press("button[name=answer][value=confirm]");
  await press("form[action$='/submit'] button");
};

try {
  if (login) {
    await page.goto(site + "/sign-in");
    await page.type("[name=login]", login);
    await page.type("[name=password]", "Tongban-demo-2026");
    await press("form[action='/sign-in'] button[type=submit]");
  }
  let path = wanted;
  if (wanted.endsWith("…")) {
    const begin = wanted.slice(0, -1);
    const first = () => page.evaluate((it) => document.querySelector(`main a[href^='${it}']`)?.getAttribute("href"), begin);
    await page.goto(site + "/cases");
    path = await first();
    if (!path) {
      await file();
      await page.goto(site + "/cases");
      path = await first();
    }
  }
  const only = ["accessibility", "best-practices", "performance"];
  const found = await lighthouse(site + path, { onlyCategories: only, output: "json", disableStorageReset: true }, undefined, page);
  const scores = {};
  for (const name of only) { scores[name] = Math.round(100 * found.lhr.categories[name].score); }
  process.stdout.write(JSON.stringify(scores));
} finally {
  await browser.close();
}
