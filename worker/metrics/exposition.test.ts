import { expect, it } from 'vitest';
import { exposition } from './exposition.ts';

it('is the text that the format’s specification describes', () => {
  const text = exposition([
    {
      name: 'http_requests_total',
      type: 'counter',
      help: 'A back\\slash,\na line break, and "quotes".',
      samples: [{ labels: { method: 'post', path: 'C:\\DIR\\"x"\n' }, value: 1027 }, { value: 0 }],
    },
    {
      name: 'waited_seconds',
      type: 'histogram',
      help: 'Waited.',
      samples: [
        { suffix: '_bucket', labels: { le: '0.05' }, value: 24_054 },
        { suffix: '_bucket', labels: { le: '+Inf' }, value: 144_320 },
        { suffix: '_sum', value: 53_423.25 },
        { suffix: '_count', value: 144_320 },
      ],
    },
    {
      name: 'odd',
      type: 'gauge',
      help: 'Odd.',
      samples: [{ value: Infinity }, { value: -Infinity }, { value: NaN }, { value: 1e-9 }, { value: 1e21 }],
    },
    { name: 'none', type: 'gauge', help: 'Nothing yet.', samples: [] },
  ]);
  expect(text).toBe(String.raw`# HELP http_requests_total A back\\slash,\na line break, and "quotes".
# TYPE http_requests_total counter
http_requests_total{method="post",path="C:\\DIR\\\"x\"\n"} 1027
http_requests_total 0
# HELP waited_seconds Waited.
# TYPE waited_seconds histogram
waited_seconds_bucket{le="0.05"} 24054
waited_seconds_bucket{le="+Inf"} 144320
waited_seconds_sum 53423.25
waited_seconds_count 144320
# HELP odd Odd.
# TYPE odd gauge
odd +Inf
odd -Inf
odd NaN
odd 1e-9
odd 1e+21
# HELP none Nothing yet.
# TYPE none gauge
`);
});
