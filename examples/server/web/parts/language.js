// The document's own language and direction.

import { speak, spoken, t } from "../kit/words.js";

export function speakOnPage() {
  document.documentElement.lang = spoken.language;
  document.documentElement.dir = spoken.direction;
  // The document's addresses are relative; the page's own address may change without another document.
  for (const link of document.querySelectorAll("link[rel=icon]")) link.setAttribute("href", link.href);
  const skip = document.querySelector(".skip");
  if (skip) skip.textContent = t("skip");
}

/** Speaks as somebody wishes; gives whether that is another language than before. */
export async function speakFor({ locale }) {
  const before = spoken.language;
  await speak(locale);
  speakOnPage();
  return before !== spoken.language;
}
