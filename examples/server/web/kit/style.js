// The look of the elements and of dialogs, as one style sheet that all shadow roots share. What the document has loaded is
// not loaded again.

const address = new URL("kit.css", import.meta.url).href;

export const sheet = new CSSStyleSheet();

async function text() {
  const loaded = [...document.styleSheets].find((one) => one.href === address);
  if (loaded) return [...loaded.cssRules].map((rule) => rule.cssText).join("\n");
  return (await fetch(address)).text();
}

try {
  sheet.replaceSync(await text());
} catch (error) {
  // They work without it.
  console.error(error);
}
