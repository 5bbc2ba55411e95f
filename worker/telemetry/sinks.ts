/** Where events go: JSON lines for programs, words for a terminal, or nowhere. */
import { instant } from '../time.ts';
import { inWords, type Level, type Log, levelOf, type Told } from './events.ts';

/** An event as one line of JSON, without a line break. */
export function jsonLine(told: Told, atMs: number): string {
  return JSON.stringify({ time: instant(atMs), level: levelOf(told), ...told });
}

/** Every event as a line of JSON. */
export function jsonLog(write: (line: string) => void, now: () => number): Log {
  return (told) => write(jsonLine(told, now()));
}

/** In words, and only what a person at a terminal wants to know. `write` gets the level too, to choose a stream. */
export function textLog(write: (line: string, level: Level) => void): Log {
  return (told) => {
    const words = inWords(told);
    if (words !== null) write(words, levelOf(told));
  };
}

/** Nothing. */
export const noLog: Log = () => undefined;
