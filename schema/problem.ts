/**
 * Problems: every error answer is one problem document (RFC 9457) that says what happened, to what, and what to
 * do next. `type` is `/problems/<slug>`, which is a page.
 */
import * as z from 'zod';

interface ProblemRow {
  readonly status: number;
  readonly title: string;
  /** What the sender should do. */
  readonly action: string;
}

export const problems = {
  'not-json': {
    status: 400,
    title: 'The body is not JSON',
    action: 'Send one DSSE envelope as JSON, in UTF-8, complete.',
  },
  'too-large': {
    status: 413,
    title: 'The body is too large',
    action: 'Send at most 512 KiB. Cut log excerpts to the lines that matter.',
  },
  'too-slow': {
    status: 408,
    title: 'The request did not arrive in time',
    action: 'Send the whole request at once. Sent again it does no harm: nothing was stored.',
  },
  'unsupported-encoding': {
    status: 415,
    title: 'The body is compressed',
    action: 'Send the body as it is, without Content-Encoding.',
  },
  'unsupported-media-type': {
    status: 415,
    title: 'The body is not of a type that is taken here',
    action: 'Send JSON, with Content-Type: application/json.',
  },
  'not-an-envelope': {
    status: 400,
    title: 'The body is not a DSSE envelope',
    action: 'Send payload, payloadType and exactly one signature with keyid and sig.',
  },
  'wrong-payload-type': {
    status: 415,
    title: 'The payload type does not belong to this address',
    action: 'Send the payload to the address of its type, or correct payloadType and sign again.',
  },
  'invalid-payload': {
    status: 422,
    title: 'The payload does not have the agreed fields',
    action:
      'Compare the payload with /openapi.json or the version list at /v1. Unknown fields are refused so that nothing unagreed is collected.',
  },
  'unacceptable-key': {
    status: 422,
    title: 'The public key is not acceptable',
    action: 'Make a new key pair. Small-order and non-canonical keys have no single owner and are refused.',
  },
  'malleable-signature': {
    status: 422,
    title: 'The signature is not in canonical form',
    action: 'Sign again with a library that follows RFC 8032: S must be less than L.',
  },
  'wrong-signature': {
    status: 401,
    title: 'The signature does not verify',
    action:
      'Sign exactly the bytes that are sent, over the DSSE pre-authentication encoding, with the key named in keyid.',
  },
  'unknown-machine': {
    status: 404,
    title: 'The machine is not enrolled',
    action: 'Enrol it first: dumpsurvey enroll.',
  },
  'unknown-owner': {
    status: 404,
    title: 'The owner is not known',
    action: 'Enrol a machine of this owner first, or correct the key.',
  },
  'key-mismatch': {
    status: 403,
    title: 'The payload names another key than the one that signed it',
    action: 'Sign with the key that the payload names.',
  },
  'insufficient-work': {
    status: 422,
    title: 'The proof of work is missing or wrong',
    action: 'Find a counter whose SHA-256 has enough leading zero bits, as the enrolment page says.',
  },
  'wrong-owner-signature': {
    status: 422,
    title: "The owner's signature does not verify",
    action: "Sign the machine's key with the owner's key: dumpsurvey enroll --owner FILE.",
  },
  'owner-mismatch': {
    status: 409,
    title: 'The machine belongs to another owner',
    action: 'Keep the owner, or enrol the machine under a new key.',
  },
  'rotated-key': {
    status: 403,
    title: 'The key was replaced by another one',
    action:
      'Sign with its successor. Only what was begun under the old key can be ended under it: armed notes and reports on its tickets.',
  },
  'revoked-key': {
    status: 403,
    title: 'The trust in the key was taken back',
    action: 'Enrol the machine under a new key, with an owner whose key was not revoked.',
  },
  'withdrawn-key': {
    status: 410,
    title: 'The data of this key was withdrawn',
    action: 'Nothing: it is gone, as was asked for. To take part again, enrol under a new key.',
  },
  'unacceptable-rotation': {
    status: 409,
    title: 'The key cannot be replaced by this one',
    action: 'Rotate the newest key of a chain, to a key that was never used here, signed by both.',
  },
  'unacceptable-revocation': {
    status: 422,
    title: 'The key cannot be revoked by this owner',
    action: 'Name a machine of the owner who signs, or his own key, and an index that the log has.',
  },
  'unacceptable-withdrawal': {
    status: 422,
    title: 'The data cannot be withdrawn by this key',
    action: 'Sign with the key whose data it is, or with the key of its owner.',
  },
  'not-trusted': {
    status: 403,
    title: 'Only a trusted owner may invite',
    action: 'Ask an owner who is vouched for, or the operator, to vouch for you.',
  },
  'invitations-used-up': {
    status: 403,
    title: 'The owner may not invite now',
    action:
      'Wait until the limit allows the next invitation; the page on trust says which limits there are and why.',
  },
  'already-trusted': {
    status: 409,
    title: 'The owner is trusted already',
    action: 'Nothing: whoever vouched first stays the one who vouched.',
  },
  'not-an-operator': {
    status: 403,
    title: 'The key is not an operator',
    action: 'Sign decisions with a key that the server is configured with as an operator.',
  },
  'unacceptable-decision': {
    status: 422,
    title: 'The decision makes no sense',
    action: 'Compare action, subject and from_index with what is there; see /reference.',
  },
  'too-many-tickets': {
    status: 409,
    title: 'Too many tickets are open',
    action:
      'Run and report what you have, or wait for its deadlines. Tickets that are never armed count against a key for 30 days.',
  },
  'log-halted': {
    status: 503,
    title: 'The log is halted',
    action:
      'Send the same request again later. The operator must find out first why the store is not what was signed. Nothing was stored.',
  },
  'unknown-token': {
    status: 401,
    title: 'The token is not known',
    action: 'Ask the operator for a token, or leave the Authorization header out to see what everybody sees.',
  },
  'unknown-profile': {
    status: 422,
    title: 'The profile is not known for this machine',
    action: 'Enrol again with the present profile, then ask for a ticket.',
  },
  'unknown-scenario': {
    status: 422,
    title: 'The scenario set has no such entry',
    action: 'Ask for entries that the set lists.',
  },
  'unknown-ticket': {
    status: 404,
    title: 'There is no such ticket',
    action: 'Ask for a ticket before the trial; a report without one cannot be counted.',
  },
  'foreign-ticket': {
    status: 403,
    title: 'The ticket belongs to another machine',
    action: 'Use a ticket that was issued to the machine that signs.',
  },
  'ticket-mismatch': {
    status: 422,
    title: 'The report does not match its ticket',
    action: 'Report the scenario, mechanism, environment and profile that the ticket was issued for.',
  },
  'arm-too-late': {
    status: 409,
    title: 'The ticket can no longer be armed',
    action: 'Do not run this trial. Ask for a new ticket.',
  },
  'different-report': {
    status: 409,
    title: 'The ticket already has another report',
    action: 'Keep the first report. Only a signed amendment may follow, with a later version of the agent.',
  },
  'report-too-late': {
    status: 410,
    title: 'The report is more than 90 days past its deadline',
    action: 'Nothing: the trial stays counted as no_reply. Run a new trial with a new ticket.',
  },
  'report-from-future': {
    status: 422,
    title: 'The report is dated in the future',
    action: "Set the machine's clock (more than 10 minutes ahead of the server) and sign the report again.",
  },
  'untimely-request': {
    status: 422,
    title: 'The request was signed too long ago, or is dated in the future',
    action:
      'Set the clock, sign the request again and send it within 24 hours. What changes keys or trust must be meant at the time when it takes effect.',
  },
  'invalid-query': {
    status: 400,
    title: 'The query cannot be answered',
    action: 'Name population, and one to three different groups after by; see /v1.',
  },
  'withdrawn-contents': {
    status: 410,
    title: 'The contents were withdrawn',
    action: 'Nothing: the entry stays in the log, and what it held was deleted at the wish of its owner.',
  },
  'not-found': {
    status: 404,
    title: 'There is nothing at this address',
    action: 'See /v1 for the addresses that there are.',
  },
  'too-many-requests': {
    status: 429,
    title: 'There were too many requests',
    action: 'Send it again after the time in Retry-After, and fewer at a time. Nothing was stored.',
  },
  'not-authorized': {
    status: 401,
    title: "This address is the operator's",
    action:
      'Ask on the machine itself, or send the token that was set as METRICS_TOKEN: Authorization: Bearer TOKEN.',
  },
  'uri-too-long': {
    status: 414,
    title: 'The address is too long',
    action: 'Ask for less in one query: path and query together may have 4,096 characters.',
  },
  'headers-too-large': {
    status: 431,
    title: 'The headers are too large',
    action: 'Send fewer or shorter headers: all of them together may have 16 KiB.',
  },
  'not-http': {
    status: 400,
    title: 'The request is not HTTP as agreed',
    action: 'Send HTTP/1.1 (RFC 9112) with one Host, one length and a plain path.',
  },
  'method-not-allowed': {
    status: 405,
    title: 'This address does not take this method',
    action: 'See the Allow header for those it takes.',
  },
  'store-busy': {
    status: 503,
    title: 'The store is busy',
    action: 'Send the same request again after the time in Retry-After. Nothing was stored.',
  },
  'internal-error': {
    status: 500,
    title: 'The server failed',
    action:
      'Send the same request again later: requests are idempotent. If it persists, report the request id.',
  },
} as const satisfies Record<string, ProblemRow>;
export type ProblemSlug = keyof typeof problems;

/** An RFC 9457 problem document. */
export const problemDocument = z.strictObject({
  type: z
    .string()
    .regex(/^\/problems\/[a-z-]+$/)
    .describe('the address of the page that explains this type'),
  title: z.string(),
  status: z.int().min(400).max(599),
  detail: z.string().describe('what happened to what'),
  action: z.string().describe('what to do next'),
});
export type Problem = Readonly<z.infer<typeof problemDocument>>;

/** The problem document of a slug. */
export function problem(slug: ProblemSlug, detail: string): Problem {
  const { status, title, action } = problems[slug];
  return { type: problemType(slug), title, status, detail, action };
}

/** The `type` of a slug: an address of its own, which never changes. */
export function problemType(slug: ProblemSlug): string {
  return `/problems/${slug}`;
}
