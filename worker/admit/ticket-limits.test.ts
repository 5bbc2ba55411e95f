/** How many tickets a key may hold, at the edges. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { faultOfHoarding, ticketLimits } from './ticket-limits.ts';

const none = { open: 0, unused: 0 };

it.each<[string, number, Partial<typeof none>, Partial<typeof none>, RegExp | null]>([
  ['as many as a request can ask for', 64, {}, {}, null],
  ['up to the machine’s limit', 64, { open: 64 }, { open: 64 }, null],
  [
    'one above the machine’s limit',
    1,
    { open: 128 },
    { open: 128 },
    /this machine: 128; with 1 more it would be over 128/,
  ],
  ['a bundle above it', 64, { open: 65 }, { open: 65 }, /this machine: 65; with 64 more/],
  ['up to the owner’s limit', 64, {}, { open: 1984 }, null],
  ['one above the owner’s limit', 1, {}, { open: 2048 }, /this owner: 2048/],
  ['up to the limit of unused ones', 56, { unused: 200 }, {}, null],
  ['above it', 57, { unused: 200 }, {}, /let pass in 30 days: 200; with 57 more it would be over 256/],
  ['whatever other machines of the owner let pass', 64, {}, { unused: 9999 }, null],
])('%s', (_, wanted, machine, owner, words) => {
  const fault = faultOfHoarding(ticketLimits, wanted, { ...none, ...machine }, { ...none, ...owner });
  if (words === null) return expect(fault).toBeNull();
  expect(fault?.slug).toBe('too-many-tickets');
  expect(fault?.detail).toMatch(words);
});

it('never allows more open tickets than the limits, whatever came before', () => {
  const counts = fc.record({ open: fc.nat(3000), unused: fc.nat(3000) });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 64 }), counts, counts, (wanted, machine, owner) => {
      const isOver =
        machine.open + wanted > ticketLimits.openPerMachine ||
        owner.open + wanted > ticketLimits.openPerOwner ||
        machine.unused + wanted > ticketLimits.unusedPerMachine;
      return (faultOfHoarding(ticketLimits, wanted, machine, owner) !== null) === isOver;
    }),
  );
});
