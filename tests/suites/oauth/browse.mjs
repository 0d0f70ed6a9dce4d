// SPDX-License-Identifier: GPL-3.0-or-later
// node browse.mjs MODULES CHROMIUM: a person at a browser (headless Chromium). Reads one JSON object
// a line, {"url", "press", "code"}, goes to the address, signs in, presses the button named PRESS on
// the page that asks for consent and answers with a line {"url", "text"}: where it ended and what it
// saw. With "stay" the last address, back to Postroom, is not visited.
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const LIMIT_MS = 60000; // for one task
const [modules, executablePath] = process.argv.slice(2);
const { chromium } = await import(pathToFileURL(modules + "/playwright-core/index.mjs"));

const browser = await chromium.launch({
  executablePath,
  headless: true,
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});

const pause = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

// What the page says to SCRIPT; null while it goes from one document to the next.
const ask = (page, script) => page.evaluate(script).catch(() => null);

// Until another document is there, whole, behind all redirects.
async function press(page, name, isOver) {
  await page.evaluate(() => { globalThis.isOld = true; });
  await page.getByRole("button", { name }).click({ noWaitAfter: true });
  while (!isOver() && !await ask(page, () => !globalThis.isOld && document.readyState === "complete")) {
    await pause(20);
  }
}

// The pages may come in any order; each is known by its title.
async function act(page, { press: choice, code }, isOver) {
  while (!isOver()) {
    const title = await ask(page, () => document.title);
    if (title === null) {
      await pause(20);
    } else if (title === "Code") {
      await page.locator("input[name=user_code]").fill(code);
      await press(page, "Go on", isOver);
    } else if (title === "Confirm" && choice === "Refuse") {
      await press(page, choice, isOver);
      return; // it asks for another code
    } else if (title === "Confirm") {
      await press(page, title, isOver);
    } else if (title === "Sign in") {
      await page.locator("input[name=login]").fill("alice");
      await press(page, "Sign in", isOver);
    } else if (title === "Agree") {
      await press(page, choice, isOver);
    } else {
      return;
    }
  }
}

// Sees each address the page goes to, redirects too; true: do not go there.
async function watch(context, page, look) {
  const session = await context.newCDPSession(page);
  await session.send("Fetch.enable", { patterns: [{ urlPattern: "*" }] });
  session.on("Fetch.requestPaused", ({ requestId, request }) => {
    const stop = look(request.url);
    session.send(stop ? "Fetch.failRequest" : "Fetch.continueRequest",
      { requestId, ...(stop && { errorReason: "ConnectionRefused" }) }).catch(() => {});
  });
}

async function visit(task) {
  const context = await browser.newContext();
  const page = await context.newPage();
  const home = new URL(task.url).origin;
  let back = null;
  let isLate = false;
  const late = setTimeout(() => { isLate = true; }, LIMIT_MS);
  await watch(context, page, (url) => {
    const isBack = new URL(url).origin !== home && /[?&](code|error)=/.test(url);
    if (isBack) { back = url; }
    return isBack && task.stay;
  });
  try {
    await page.goto(task.url);
    await act(page, task, () => isLate || (back && task.stay));
    if (isLate) { throw new Error(`never got beyond ${page.url()}: ${await page.content()}`); }
    return { url: back || page.url(), text: task.stay ? "" : await page.innerText("body") };
  } finally {
    clearTimeout(late);
    await context.close();
  }
}

console.log(JSON.stringify({ ready: true }));
for await (const line of createInterface({ input: process.stdin })) {
  let answer;
  try {
    answer = await visit(JSON.parse(line));
  } catch (error) {
    answer = { fault: String(error) };
  }
  console.log(JSON.stringify(answer));
}
await browser.close();
