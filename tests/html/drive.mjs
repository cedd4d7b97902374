// Drives a headless Chromium through the HTML report: `node drive.mjs use|see|hostile|large PAGE`. What does not hold
// ends the script with a message.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";

const [task, file] = process.argv.slice(2);
const { chromium } = await import(pathToFileURL(process.env.PLAYWRIGHT));
const address = pathToFileURL(path.resolve(file)).href;

// What the page must not do: speak on the console, fail, or ask for anything but itself.
const offences = [];

async function open({ width = 1366, height = 768, colorScheme = "light" } = {}) {
  const context = await chromium.launchPersistentContext(process.env.BROWSER_HOME, {
    headless: true,
    executablePath: process.env.CHROMIUM,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
    viewport: { width, height },
    colorScheme,
  });
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  page.on("console", (message) => offences.push(`console ${message.type()}: ${message.text()}`));
  page.on("pageerror", (error) => offences.push(`error: ${error.message}`));
  page.on("dialog", (dialog) => offences.push(`dialog: ${dialog.message()}`));
  page.on("request", (request) => {
    if (request.url().split("#")[0] !== address) offences.push(`request: ${request.url()}`);
  });
  await page.goto(address);
  return { context, page };
}

const texts = (page, selector) => page.locator(selector).allInnerTexts();

async function use() {
  const { context, page } = await open();
  // The parity view comes first, worst first, and one verdict can be singled out.
  assert.equal(await page.locator("#parity-rows .pair").count(), 10);
  const excess = page.locator("#parity-verdicts button[data-value=EXCESS]");
  const wanted = Number(await excess.locator("b").innerText());
  await excess.click();
  assert.equal(await excess.getAttribute("aria-pressed"), "true");
  assert.equal(await page.locator("#parity-rows .pair").count(), wanted);
  assert.ok((await texts(page, "#parity-rows .verdict")).every((word) => word.includes("Excess")));
  await excess.click();

  // Search.
  await page.locator("#parity-search").fill("oncall");
  const found = await texts(page, "#parity-rows .pair");
  assert.ok(found.length > 0 && found.every((row) => row.includes("oncall")), found.join("\n"));
  await page.locator("#parity-search").fill("nobody is called this");
  assert.equal(await page.locator("#parity-status").innerText(), "no AI identities fit");
  await page.locator("#parity-search").fill("");

  // Every bar says in words what it draws.
  const labels = await page.locator("#parity-rows .bar svg").evaluateAll((bars) => bars.map((bar) => bar.getAttribute("aria-label")));
  assert.ok(labels.length === 20 && labels.every((label) => /weight|known/.test(label)), labels.join("\n"));

  // Findings: severity, status, search, and what a row opens to.
  await page.locator("#findings-severities button[data-value=critical]").click();
  assert.equal(await page.locator("#findings-state").inputValue(), "failed");
  const critical = await page.locator("#findings-severities button[data-value=critical] b").innerText();
  const all = await page.evaluate(() => JSON.parse(document.getElementById("data").textContent).findings.rule.length);
  // What does not fit on a page is told by its place among what fits the filters.
  const fitting = Number(critical) > 20 ? `1 to 20 of ${critical} findings` : `${critical} of ${all} findings`;
  assert.equal(await page.locator("#findings-status").innerText(), fitting);
  assert.ok((await texts(page, "#findings-rows .severity")).every((word) => word === "critical"));
  await page.locator("#findings-search").fill("delete logs");
  const rows = page.locator("#findings-rows > tr");
  assert.ok((await rows.count()) > 0);
  await rows.first().locator(".opens").click();
  assert.match(await page.locator("#findings-rows .more-row").innerText(), /What to do/);
  await rows.first().locator(".opens").click();
  assert.equal(await page.locator("#findings-rows .more-row").count(), 0);

  // A requirement of a framework leads to its findings.
  await page.locator("#findings-search").fill("");
  await page.locator("#findings-severities button[data-value=critical]").click();
  const requirement = page.locator("button.requirement.critical").first();
  const name = await requirement.getAttribute("data-framework");
  await requirement.click();
  assert.ok((await page.locator("#findings-framework").innerText()).startsWith(name));
  assert.match(await page.locator("#findings-status").innerText(), /finding/);
  await page.locator("#findings-framework").click();

  // Paging.
  await page.locator("#identities-pager button", { hasText: "Next" }).click();
  assert.match(await page.locator("#identities-status").innerText(), /^21 to 40 of/);

  // A card opens and closes by the keyboard, and the focus is where it was.
  const opener = page.locator("#parity-rows .name", { hasText: "sre-copilot-runtime" }).first();
  await opener.focus();
  await page.keyboard.press("Enter");
  assert.ok(await page.locator("dialog[open]").isVisible());
  const card = await page.locator("dialog").innerText();
  for (const part of [/Access beyond the human role/, /Controls for sensitive operations/, /Findings \(/, /Described at/]) assert.match(card, part);
  assert.ok(!card.includes("[object"), card);
  await page.keyboard.press("Escape");
  assert.equal(await page.locator("dialog[open]").count(), 0);
  assert.ok(await opener.evaluate((element) => element === document.activeElement));

  // Paths are drawn and told.
  assert.ok((await page.locator("#paths-graph .node").count()) >= 2);
  assert.ok((await page.locator("#paths-graph .edge").count()) >= 1);

  // Print: more rows than on screen, and the screen as it was afterwards.
  const printed = await page.pdf({ format: "A4" });
  assert.equal(printed.subarray(0, 5).toString(), "%PDF-");
  assert.ok(printed.length > 20_000, `${printed.length}`);
  fs.writeFileSync(`${file}.pdf`, printed);
  assert.equal(await page.locator("#parity-rows .pair").count(), 10);
  await page.evaluate(() => dispatchEvent(new Event("beforeprint")));
  assert.ok((await page.locator("#parity-rows .pair").count()) > 10);
  await context.close();
}

async function see() {
  for (const colorScheme of ["light", "dark"]) {
    for (const width of [390, 1366, 1920]) {
      const { context, page } = await open({ width, colorScheme });
      const where = `${width} ${colorScheme}`;
      const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(over <= 0, `${where}: the page is ${over} pixels too wide`);
      // What axe looks for depends on the layout, of which there are two, and on the colours.
      if (width > 1366) {
        await context.close();
        continue;
      }
      await page.evaluate(fs.readFileSync(process.env.AXE, "utf8"));
      const check = async (what) => {
        const { violations, passes } = await page.evaluate(() => axe.run({ runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }));
        const told = violations.map(({ id, nodes }) => `${id}: ${nodes.slice(0, 3).map(({ html, failureSummary }) => `${html}\n${failureSummary}`).join("\n")}`);
        assert.ok(passes.length > 10, "axe looked at the page");
        assert.deepEqual(told, [], `${where}, ${what}: ${told.join("\n")}`);
      };
      await page.locator("#findings-rows .opens").first().click();
      await check("page");
      await page.locator("#parity-rows .name").nth(2).click();
      await check("card");
      await context.close();
    }
  }
}

async function hostile() {
  const { context, page } = await open();
  const name = "</script><img src=x onerror=document.title='acted'>";
  assert.ok((await page.locator("#identities-rows").innerText()).includes(name));
  assert.equal(await page.locator("img").count(), 0);
  await page.locator("#identities-rows .name", { hasText: "onerror" }).first().click();
  assert.ok((await page.locator("dialog h2").innerText()).includes(name));
  await page.keyboard.press("Escape");
  for (const opener of await page.locator("#findings-rows .opens").all()) await opener.click();
  assert.equal(await page.locator("img").count(), 0);
  assert.ok(!(await page.title()).includes("acted"));
  await context.close();
}

async function large() {
  const began = performance.now();
  const { context, page } = await open();
  console.log(`opened in ${Math.round(performance.now() - began)} ms with the browser's start`);
  // Times are told, not judged: they are the machine's. What makes them is the number of elements, which does not grow with
  // the organisation.
  const drawn = () => page.evaluate(() => document.getElementsByTagName("*").length);
  const whole = (await drawn()) + 1_000;
  console.log(`${whole} elements at most`);
  assert.ok(whole < 10_000, `${whole} elements`);
  // The best of some tries: what else the machine does is not the page's doing. The first search, which prepares the
  // texts, counts too.
  const timed = (id, words) =>
    page.evaluate(
      ([id, words]) => {
        const field = document.getElementById(id);
        const times = words.map((word) => {
          field.value = word;
          const from = performance.now();
          field.dispatchEvent(new Event("input", { bubbles: true }));
          void document.body.offsetHeight;
          return performance.now() - from;
        });
        return { first: times[0], best: Math.min(...times.slice(1)) };
      },
      [id, words],
    );
  const fields = { "parity-search": "engineer-7", "identities-search": "team-11", "findings-search": "bucket-123" };
  for (const [id, word] of Object.entries(fields)) {
    const { first, best } = await timed(id, [word, "", word, `${word} service`, "", word]);
    console.log(`${id}: first ${first.toFixed(1)} ms, then ${best.toFixed(1)} ms`);
    assert.ok((await drawn()) <= whole, `${id}: what fits is drawn a page at a time`);
    assert.match(await page.locator(`#${id.replace("search", "status")}`).innerText(), /[1-9]/);
  }
  assert.equal(await page.locator("#findings-rows > tr").count(), 20);
  const toggled = await page.evaluate(() => {
    const times = [0, 1, 2, 3].map(() => {
      const from = performance.now();
      document.querySelector("#findings-severities button").click();
      void document.body.offsetHeight;
      return performance.now() - from;
    });
    return Math.min(...times);
  });
  console.log(`severity: ${toggled.toFixed(1)} ms`);
  assert.ok((await drawn()) <= whole);
  await context.close();
}

await { use, see, hostile, large }[task]();
assert.deepEqual(offences, []);
