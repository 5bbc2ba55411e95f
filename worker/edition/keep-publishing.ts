/** The Node server's clock for editions: after an admission, when one is due, and now and then for passed deadlines. */
export interface Publisher {
  /** There may be something to publish. Costs nothing when that is known already. */
  readonly soon: () => void;
  /** Publishes no more; resolves when nothing runs. */
  readonly stop: () => Promise<void>;
}

/**
 * Runs `publish` when it is due, never two at a time, and every `lookEveryMs` for deadlines that passed without any
 * request. A failure is told to `failed` and tried again at the next occasion.
 */
export function keepPublishing(
  publish: () => Promise<{ waitMs: number | null }>,
  lookEveryMs = 60_000,
  failed: (error: unknown) => void = () => undefined,
): Publisher {
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | null = null;
  let news = false;
  let stopped = false;

  function arrange(waitMs: number): void {
    clearTimeout(timer);
    if (!stopped) timer = setTimeout(run, waitMs).unref();
  }
  async function attempt(): Promise<void> {
    news = false;
    let waitMs: number | null = null;
    try {
      ({ waitMs } = await publish());
    } catch (error) {
      failed(error);
      arrange(lookEveryMs);
      return;
    } finally {
      running = null;
    }
    if (waitMs !== null) news = true;
    arrange(news ? (waitMs ?? 0) : lookEveryMs);
  }
  function run(): void {
    running ??= attempt();
  }
  return {
    soon: () => {
      if (news) return;
      news = true;
      if (running === null) arrange(0);
    },
    stop: async () => {
      stopped = true;
      clearTimeout(timer);
      await running;
    },
  };
}
