/** The steps of a story, each with how long it took and what came of it. */

export interface Step {
  readonly what: string;
  readonly tookMs: number;
  readonly result: string;
  readonly isGood: boolean;
}

export interface Story {
  readonly steps: readonly Step[];
  /** Takes a step, which gives its result in words. Where it throws, so does the story: nothing can follow. */
  readonly step: (what: string, take: () => Promise<string>) => Promise<void>;
  /** Notes what was expected and is not so: the story goes on, and is no good. */
  readonly fault: (what: string, result: string) => void;
}

/** Begins a story. `say` is told each step as it begins, and as it ends. */
export function beginStory(say: (line: string) => void, now: () => number = () => performance.now()): Story {
  const steps: Step[] = [];
  const add = (step: Step) => {
    steps.push(step);
    say(`${step.isGood ? '' : 'NOT AS IT SHOULD BE: '}${step.what}: ${step.result}`);
  };
  return {
    steps,
    step: async (what, take) => {
      const from = now();
      say(`${what} …`);
      try {
        add({ what, result: await take(), tookMs: now() - from, isGood: true });
      } catch (error) {
        const result = error instanceof Error ? error.message : String(error);
        add({ what, result, tookMs: now() - from, isGood: false });
        throw error;
      }
    },
    fault: (what, result) => add({ what, result, tookMs: 0, isGood: false }),
  };
}
