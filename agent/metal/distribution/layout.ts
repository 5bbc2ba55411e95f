/** How a distribution's kdump tooling lays its dumps out below one directory. */
import type { DumpLayout } from '../../../schema/after-reboot.ts';
import type { Stage } from '../../../schema/vocabulary.ts';

/** What lies in the directory of one dump. */
export interface DumpFiles {
  /** The dump's name, finished or not; null where none was begun. */
  readonly dump: string | null;
  /** The tooling itself says that it was written to its end. */
  readonly isFinished: boolean;
  /** The program that compressed the dump as a whole: no dump reader reads that. Null where none did. */
  readonly packedBy: string | null;
  /** The name of the capture kernel's own log, where the tooling keeps one. */
  readonly captureLog: string | null;
}

export interface Layout {
  readonly name: DumpLayout;
  /** The name of one dump's directory. Whatever has another name is not looked at. */
  readonly directory: RegExp;
  /** What files of these names are. `read` gives the start of one of them, or null. */
  readonly filesIn: (names: readonly string[], read: (name: string) => string | null) => DumpFiles;
  /** The stages that beacons can tell of in this tooling's capture environment. */
  readonly beaconStages: readonly Stage[];
  /** The unit that loads the capture kernel. */
  readonly kdumpService: string;
}
