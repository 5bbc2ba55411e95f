/** What may be wider than a phone: a region of its own that scrolls, and that the keyboard can reach. */
import { html, type Markup, type Piece } from './markup.ts';

/** A named region around a wide table. */
export function scrollRegion(name: string, content: Piece): Markup {
  return html`<div class="scroll" role="region" aria-label="${name}" tabindex="0">${content}</div>`;
}

/** Lines of a log, unwrapped. */
export function logLines(name: string, lines: readonly string[]): Markup {
  const text = lines.join('\n');
  return html`<pre class="scroll" role="region" aria-label="${name}" tabindex="0"><code>${text}</code></pre>`;
}

/** A command to copy, wrapped. */
export function command(text: string): Markup {
  return html`<pre class="command"><code>${text}</code></pre>`;
}
