// How a page looks: pictures of it, and what axe-core has to say.

import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const PICTURES = process.env.WEB_SCREENSHOTS ?? join(import.meta.dirname, "../../../target/web-screenshots");
const WIDTHS = [1280, 390];
const SCHEMES = ["light", "dark"];
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

/**
 * Takes a picture of what is shown in each width and scheme, and asserts that everybody can use it. `again` opens the
 * page anew in another width, where that is possible.
 */
export async function look({ page }, name, { again } = {}) {
  mkdirSync(PICTURES, { recursive: true });
  const found = [];
  for (const width of WIDTHS) {
    await page.setViewportSize({ width, height: width > 600 ? 800 : 844 });
    if (width !== WIDTHS[0]) await again?.();
    for (const colorScheme of SCHEMES) {
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      const path = join(PICTURES, `${name}-${width}-${colorScheme}.png`);
      // A dialog is as high as the window; a page is not.
      await page.screenshot({ path, fullPage: (await page.locator("dialog[open]").count()) === 0 });
      for (const finding of await findings(page)) found.push(`${width} ${colorScheme}: ${finding}`);
    }
    const more = await tooWide(page);
    if (more > 0) found.push(`${width}: ${more} px wider than the window`);
  }
  // The width of a window that is enlarged to 400 %.
  await page.setViewportSize({ width: 320, height: 640 });
  const more = await tooWide(page);
  if (more > 0) found.push(`320: ${more} px wider than the window`);
  await page.setViewportSize({ width: WIDTHS[0], height: 800 });
  await page.emulateMedia({ colorScheme: "light" });
  assert.deepEqual(found, [], name);
}

function tooWide(page) {
  return page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
}

async function findings(page) {
  if (!(await page.evaluate(() => "axe" in window))) await page.evaluate(AXE);
  const { violations } = await page.evaluate(
    (values) => window.axe.run(document, { resultTypes: ["violations"], runOnly: { type: "tag", values } }),
    RULES,
  );
  return violations
    .map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map((node) => node.html.slice(0, 120)).join(" | ")}`);
}
