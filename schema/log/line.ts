/** Lines of text as notes and checkpoints have them (C2SP signed-note). */

/** Whether a text is one line that a note can hold: without control characters (below U+0020), expressible in UTF-8. */
export function isLine(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) < 0x20) return false;
  return text.isWellFormed();
}
