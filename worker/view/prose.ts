/** The little markup that descriptions of the API have: paragraphs, `code`, and links to addresses of this site. */
import { html, type Markup } from './markup.ts';

const marks = /`([^`]+)`|\[([^\]]+)\]\((\/[^)\s]*)\)/g;

/** One paragraph's text with its code and links. */
export function inlineProse(text: string): Markup[] {
  const pieces: Markup[] = [];
  let from = 0;
  for (const mark of text.matchAll(marks)) {
    const [whole, code, label, address] = mark;
    pieces.push(html`${text.slice(from, mark.index)}`);
    pieces.push(code === undefined ? html`<a href="${address}">${label}</a>` : html`<code>${code}</code>`);
    from = mark.index + whole.length;
  }
  return [...pieces, html`${text.slice(from)}`];
}

/** Paragraphs, which an empty line parts. */
export function prose(text: string): Markup[] {
  return text.split(/\n\s*\n/).map((paragraph) => html`<p>${inlineProse(paragraph)}</p>`);
}
