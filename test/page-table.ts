/** Reads the tables of a page in Markdown. */

/** The rows of the first table under a heading, each as its cells without backticks. */
export function tableUnder(page: string, heading: string): string[][] {
  const text = page.slice(page.indexOf(`\n${heading}\n`) + 1);
  const [, , ...rows] = /(?:^\|.*\|\n)+/m.exec(text)?.[0].trim().split('\n') ?? [];
  return rows.map((row) =>
    row
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.replaceAll('`', '').trim()),
  );
}
