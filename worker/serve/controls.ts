/** `GET /v1/controls`: how often a capture was reported where the mechanism was disabled on purpose. */
import type { ControlsAnswer } from '../../schema/answer/controls.ts';
import { edition as newestEdition } from '../edition/publish.ts';
import type { Services } from '../services.ts';
import { rounded } from '../statistics/cell.ts';
import { clopperPearson } from '../statistics/clopper-pearson.ts';
import { controlCounts } from '../store/controls.ts';
import { jsonAnswer } from './answer.ts';

const note =
  'Control trials are crashes with the mechanism disabled: a capture is a false one. They count nowhere else. They measure the survey, not drivers, and do not catch who forges reports with care.';

/** The handler. Trials of held machines are in it: they are held for what these figures say. */
export async function controls({ store }: Services): Promise<Response> {
  const edition = await newestEdition(store);
  const counts = await controlCounts(store, edition);
  const answer: ControlsAnswer = {
    edition: edition.number,
    controls: counts.map((row) => {
      const { low, high } = clopperPearson(row.false_captures, row.trials);
      const estimate = rounded(row.false_captures / row.trials);
      return { ...row, estimate, low: rounded(low), high: rounded(high) };
    }),
    note,
  };
  return jsonAnswer(answer);
}
