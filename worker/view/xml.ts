/** Text to XML 1.0. */

// Everything but the Char production of XML 1.0: these cannot be written even as references.
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters to be removed
const forbidden = /[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/g;

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
  '\r': '&#13;',
};

/** The text as character data or as an attribute's value, without the characters that XML 1.0 forbids. */
export function xml(text: string): string {
  return text
    .toWellFormed()
    .replace(forbidden, '')
    .replace(/[&<>"'\r]/g, (char) => entities[char] ?? '');
}
