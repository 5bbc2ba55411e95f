/** What must hold of every answer, whatever was asked. */
import { everywhere } from '../../../worker/openapi/general.ts';
import type { Answered, Contract } from '../contract.ts';
import { markupMarker } from './hostile.ts';
import { faultOfParity } from './parity.ts';
import type { FuzzRequest } from './requests.ts';
import { operationsAt } from './requests.ts';

/** What no answer shows: where the server's code is, what it runs on, how it stumbled. */
const inside = /node_modules|\.ts:\d|SQLITE|drizzle|\bat \S+ \(|dumpsurvey-in-process|RangeError|TypeError/;

/** An answer with the headers that promises were made about. */
export interface FullAnswer extends Answered {
  readonly headers: Headers;
}

/** Of which operation an answer was, for the tally; `other` where it belongs to none. */
export interface Judged {
  readonly operationId: string;
  readonly fault: string | null;
}

function faultOfHeaders({ status, headers }: FullAnswer): string | null {
  if (!/^[0-9a-f]{16}$/.test(headers.get('x-request-id') ?? '')) return 'the answer has no request id';
  if (!headers.get('content-security-policy')?.includes("default-src 'none'"))
    return 'the answer has no policy';
  if (status === 405 && !headers.get('allow')) return 'status 405 without Allow';
  if (headers.get('x-injected') !== null) return 'a header was injected';
  return null;
}

function faultOfText({ text, contentType }: FullAnswer): string | null {
  const shown = inside.exec(text);
  if (shown) return `the body shows the inside: ${shown[0]}`;
  const isMarkup = /html|xml/.test(contentType ?? '');
  return isMarkup && text.includes(markupMarker) ? 'hostile text became markup' : null;
}

/** The operation that was asked for, and in what its answer differs from the contract. */
export function judge(contract: Contract, request: FuzzRequest, answer: FullAnswer): Judged {
  const general = faultOfHeaders(answer) ?? faultOfText(answer);
  const here = operationsAt(contract, request.url);
  // The names of methods are normalized by whoever makes a request; `get` is as good as `GET`.
  const method = request.method.toUpperCase();
  const asked = here.find((o) => o.method.toUpperCase() === (method === 'HEAD' ? 'GET' : method));
  if (answer.status >= 500)
    return { operationId: asked?.operation.operationId ?? 'other', fault: `status ${answer.status}` };
  if (asked !== undefined) {
    const { operationId } = asked.operation;
    if (method !== 'HEAD') {
      const fault = contract.faultOf(asked, answer) ?? faultOfParity(contract, asked, request, answer);
      return { operationId, fault: general ?? fault };
    }
    const described = String(answer.status) in asked.operation.responses;
    const fault = described
      ? answer.text === ''
        ? null
        : 'HEAD was answered with a body'
      : `status ${answer.status} is not described`;
    return { operationId, fault: general ?? fault };
  }
  const operationId = 'other';
  if (method === 'HEAD') {
    const statuses = [here.length === 0 ? 404 : 405, 414];
    const fault =
      statuses.includes(answer.status) && answer.text === '' ? null : `HEAD was answered ${answer.status}`;
    return { operationId, fault: general ?? fault };
  }
  if (here.length === 0)
    return {
      operationId,
      fault: general ?? contract.faultOfGeneral(['NoSuchAddress', ...everywhere], answer),
    };
  if (method !== 'OPTIONS')
    return {
      operationId,
      fault: general ?? contract.faultOfGeneral(['NoSuchMethod', ...everywhere], answer),
    };
  const allows = here.every((o) => answer.headers.get('allow')?.includes(o.method.toUpperCase()));
  return {
    operationId,
    fault:
      general ??
      (answer.status === 414 || (answer.status === 204 && allows)
        ? null
        : 'OPTIONS does not say what there is'),
  };
}
