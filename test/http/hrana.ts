/**
 * A peer for tests of the remote store: Hrana 2 over HTTP, in front of libSQL's embedded engine on a file. It speaks
 * the protocol that the client speaks, to the engine that servers run; it is not Turso and not sqld. It keeps no
 * streams between requests: a pipeline must end what it began, and batches do.
 * Protocol: github.com/tursodatabase/libsql, docs/HRANA_2_SPEC.md and docs/HTTP_V2_SPEC.md.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import Database from 'libsql';
import * as z from 'zod';

const value = z.union([
  z.object({ type: z.literal('null') }),
  z.object({ type: z.literal('integer'), value: z.string() }),
  z.object({ type: z.literal('float'), value: z.number() }),
  z.object({ type: z.literal('text'), value: z.string() }),
  z.object({ type: z.literal('blob'), base64: z.string() }),
]);
type Value = z.infer<typeof value>;

const statement = z.object({
  sql: z.string().optional(),
  sql_id: z.int().optional(),
  args: z.array(value).optional(),
  want_rows: z.boolean().optional(),
});
type Statement = z.infer<typeof statement>;

const plainCondition = z.object({ type: z.enum(['ok', 'error']), step: z.int() });
const condition = z.union([plainCondition, z.object({ type: z.literal('not'), cond: plainCondition })]);
type Condition = z.infer<typeof condition>;

const request = z.discriminatedUnion('type', [
  z.object({ type: z.literal('close') }),
  z.object({ type: z.literal('store_sql'), sql_id: z.int(), sql: z.string() }),
  z.object({ type: z.literal('close_sql'), sql_id: z.int() }),
  z.object({ type: z.literal('sequence'), sql: z.string() }),
  z.object({ type: z.literal('execute'), stmt: statement }),
  z.object({
    type: z.literal('batch'),
    batch: z.object({ steps: z.array(z.object({ condition: condition.nullish(), stmt: statement })) }),
  }),
]);
type Request = z.infer<typeof request>;
const pipeline = z.object({ requests: z.array(request) });

function decode(v: Value): unknown {
  if (v.type === 'null') return null;
  if (v.type === 'integer') return BigInt(v.value);
  if (v.type === 'blob') return Buffer.from(v.base64, 'base64');
  return v.value;
}

function encode(v: unknown): Value {
  if (v === null || v === undefined) return { type: 'null' };
  if (typeof v === 'bigint') return { type: 'integer', value: String(v) };
  if (typeof v === 'number') return { type: 'float', value: v };
  if (typeof v === 'string') return { type: 'text', value: v };
  return { type: 'blob', base64: Buffer.from(v as Uint8Array).toString('base64') };
}

function execute(db: Database.Database, sqls: ReadonlyMap<number, string>, stmt: Statement) {
  const prepared = db.prepare(stmt.sql ?? sqls.get(stmt.sql_id ?? -1) ?? '').safeIntegers(true);
  const args = (stmt.args ?? []).map(decode);
  let returnsRows = true;
  try {
    prepared.raw(true);
  } catch {
    returnsRows = false;
  }
  if (!returnsRows) {
    const { changes, lastInsertRowid } = prepared.run(args);
    return { cols: [], rows: [], affected_row_count: changes, last_insert_rowid: String(lastInsertRowid) };
  }
  const cols = prepared.columns().map(({ name, type }) => ({ name, decltype: type }));
  const rows = (prepared.all(args) as unknown[][]).map((row) => row.map(encode));
  return { cols, rows, affected_row_count: 0, last_insert_rowid: null };
}

function errorOf(error: unknown): { message: string; code: string } {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'SQLITE_UNKNOWN';
  return { message: error instanceof Error ? error.message : String(error), code };
}

function runBatch(
  db: Database.Database,
  sqls: ReadonlyMap<number, string>,
  steps: readonly { condition?: Condition | null | undefined; stmt: Statement }[],
) {
  const step_results: unknown[] = [];
  const step_errors: unknown[] = [];
  const holds = (c: Condition): boolean => {
    if (c.type === 'not') return !holds(c.cond);
    return (c.type === 'ok' ? step_results : step_errors)[c.step] != null;
  };
  for (const { condition: c, stmt } of steps) {
    let result: unknown = null;
    let error: unknown = null;
    if (!c || holds(c)) {
      try {
        result = execute(db, sqls, stmt);
      } catch (e) {
        error = errorOf(e);
      }
    }
    step_results.push(result);
    step_errors.push(error);
  }
  return { step_results, step_errors };
}

function answer(db: Database.Database, sqls: Map<number, string>, r: Request): object {
  if (r.type === 'store_sql') sqls.set(r.sql_id, r.sql);
  if (r.type === 'sequence') db.exec(r.sql);
  if (r.type === 'execute') return { type: r.type, result: execute(db, sqls, r.stmt) };
  if (r.type === 'batch') return { type: r.type, result: runBatch(db, sqls, r.batch.steps) };
  return { type: r.type };
}

function answerPipeline(db: Database.Database, body: string): object {
  const sqls = new Map<number, string>();
  const results = pipeline.parse(JSON.parse(body)).requests.map((r) => {
    try {
      return { type: 'ok', response: answer(db, sqls, r) };
    } catch (error) {
      return { type: 'error', error: errorOf(error) };
    }
  });
  if (db.inTransaction) db.exec('ROLLBACK');
  return { baton: null, base_url: null, results };
}

/** Starts the peer on a file and any free port. */
export async function startHrana(path: string): Promise<{ url: string; close: () => Promise<void> }> {
  const db = new Database(path);
  db.exec('PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA busy_timeout=1000;');
  const server = createServer({ keepAliveTimeout: 60_000 }, async (req, res) => {
    try {
      const body = JSON.stringify(answerPipeline(db, await text(req)));
      res.writeHead(req.url === '/v2/pipeline' ? 200 : 404, { 'content-type': 'application/json' }).end(body);
    } catch (error) {
      res.writeHead(500, { 'content-type': 'text/plain' }).end(String(error));
    }
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((done) => {
        server.close(() => {
          db.close();
          done();
        });
        server.closeAllConnections();
      }),
  };
}
