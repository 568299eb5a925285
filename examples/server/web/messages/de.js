export const about = { language: "de", direction: "ltr" };

export { default } from "./en.js";
