/**
 * A map from one range of addresses to another, built of pieces that may overlap: of two pieces that do, the
 * later one wins. n log n in the number of pieces, whatever their order.
 */

/** One piece: `byteCount` addresses from `start` on lie at `target` on. */
export interface Piece {
  readonly start: number;
  readonly byteCount: number;
  readonly target: number;
}

/** What lies at an address: where it is, and how many addresses it goes on; `target` null is a hole. */
export interface Span {
  readonly target: number | null;
  readonly byteCount: number;
}

/** The map, and the first address behind all pieces. */
export interface IntervalMap {
  readonly end: number;
  at(address: number): Span;
}

/** Builds the map. */
export function intervalMap(pieces: readonly Piece[]): IntervalMap {
  const edges = Float64Array.from(pieces.flatMap((p) => [p.start, p.start + p.byteCount])).sort();
  const end = edges.at(-1) ?? 0;
  const { starts, owners } = merge(edges, paint(edges, pieces));
  return {
    end,
    at(address) {
      const i = indexOf(starts, address);
      const piece = pieces[owners[i] ?? -1];
      return {
        target: piece ? piece.target + (address - piece.start) : null,
        byteCount: (starts[i + 1] ?? Number.POSITIVE_INFINITY) - address,
      };
    },
  };
}

/** The stretches with one owner each: neighbours that have the same become one. */
function merge(edges: Float64Array, owner: Int32Array): { starts: Float64Array; owners: Int32Array } {
  const starts = new Float64Array(edges.length);
  const owners = new Int32Array(edges.length);
  let count = 0;
  for (let i = 0; i < edges.length; i++) {
    const by = owner[i] ?? -1;
    if (count > 0 && owners[count - 1] === by) continue;
    if (edges[i] === edges[i + 1]) continue;
    starts[count] = edges[i] ?? 0;
    owners[count++] = by;
  }
  return { starts: starts.subarray(0, count), owners: owners.subarray(0, count) };
}

/** The number of the last edge at or before the address, or -1. */
function indexOf(edges: Float64Array, address: number): number {
  let low = 0;
  let high = edges.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((edges[middle] ?? 0) <= address) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/**
 * The piece that owns each stretch between neighbouring edges, or -1: painted from the last piece to the first,
 * skipping what is painted already through a union-find chain.
 */
function paint(edges: Float64Array, pieces: readonly Piece[]): Int32Array {
  const owner = new Int32Array(edges.length).fill(-1);
  const next = Int32Array.from({ length: edges.length + 1 }, (_, i) => i);
  function free(i: number): number {
    let root = i;
    while (next[root] !== root) root = next[root] ?? root;
    for (let at = i; at !== root; ) {
      const up = next[at] ?? root;
      next[at] = root;
      at = up;
    }
    return root;
  }
  for (let p = pieces.length - 1; p >= 0; p--) {
    const piece = pieces[p];
    if (!piece || piece.byteCount <= 0) continue;
    const last = indexOf(edges, piece.start + piece.byteCount);
    let at = free(indexOf(edges, piece.start));
    for (; at < last && (edges[at] ?? 0) < piece.start + piece.byteCount; at = free(at)) {
      owner[at] = p;
      next[at] = at + 1;
    }
  }
  return owner;
}
