/**
 * Text to markup. `html` is hono's tagged template with one more promise: what it puts in is escaped *and*
 * shows what it is. Control characters and characters that turn the direction of writing are replaced, because
 * a log line of a stranger could use them to disguise itself.
 */
import { html as honoHtml } from 'hono/html';

/** Escaped markup, as hono marks it. */
export type Markup = Awaited<ReturnType<typeof honoHtml>>;

/** What a template may hold. Nothing is printed for null and undefined. */
export type Piece = string | number | null | undefined | Markup | readonly Piece[];

// C0 and C1 controls but tab and newline; bidirectional controls; noncharacters at the end of the plane.
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters to be replaced
const disguises = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufffe\uffff]/g;

/** The text with every character that hides or reorders others replaced by U+FFFD. */
export function visible(text: string): string {
  return text.toWellFormed().replace(disguises, '\ufffd');
}

function shown(piece: Piece): unknown {
  if (typeof piece === 'string') return visible(piece);
  return Array.isArray(piece) ? piece.map(shown) : piece;
}

/** The markup of a template whose values are escaped, unless they are markup themselves. */
export function html(strings: TemplateStringsArray, ...pieces: readonly Piece[]): Markup {
  const markup = honoHtml(strings, ...pieces.map(shown));
  if (markup instanceof Promise) throw new Error('A template holds a promise: render its value first.');
  return markup;
}
