/** The survey, as everything in the agent talks to it: what it answers is checked against its log before it is taken. */
import type { Envelope, PayloadKind } from '../../schema/envelope.ts';
import { newestCommon, type VersionOf, versionsOf } from '../../schema/payload-versions.ts';
import { asFirstVersion, type Profile } from '../../schema/profile.ts';
import type { Logged } from '../../schema/wire.ts';
import { Advice } from '../advice.ts';
import { agentVersion } from '../version.ts';
import type { LoggedKind } from './admitted.ts';
import type { Admissions, Api, ApiIndex } from './api.ts';
import type { SurveyLog } from './log.ts';

export interface Survey extends Admissions {
  /** The newest version of a payload that both sides know. Throws Advice where they share none. */
  readonly version: <K extends PayloadKind>(kind: K) => Promise<VersionOf<K>>;
  /** A profile in the newest version that the survey takes. */
  readonly profileFor: (profile: Profile) => Promise<Profile>;
}

/** The survey behind `api`, checked by `log`. Throws LogFault, beside what the API throws. */
export function checkedSurvey(api: Api, log: SurveyLog): Survey {
  let asked: Promise<ApiIndex> | null = null;

  /** What the survey offers; asked once, and again only where that failed. */
  function index(): Promise<ApiIndex> {
    asked ??= api.index();
    asked.catch(() => {
      asked = null;
    });
    return asked;
  }

  /** Of answers about no entry, the checkpoint is all that is signed. */
  function withCheckpoint<T extends { readonly checkpoint: string }>(send: (e: Envelope) => Promise<T>) {
    return async (sent: Envelope): Promise<T> => {
      await log.ready();
      const answer = await send(sent);
      await log.observe(answer.checkpoint);
      return answer;
    };
  }

  function logged<T extends Logged & { readonly checkpoint: string }>(
    kind: LoggedKind,
    send: (e: Envelope) => Promise<T>,
  ) {
    return async (sent: Envelope): Promise<T> => {
      await log.ready();
      const answer = await send(sent);
      await log.admitted(kind, sent, answer);
      return answer;
    };
  }

  return {
    enrol: withCheckpoint(api.enrol),
    tickets: withCheckpoint(api.tickets),
    armed: logged('armed', api.armed),
    report: logged('report', api.report),
    rotate: logged('rotate', api.rotate),
    revoke: logged('revoke', api.revoke),
    withdraw: logged('withdraw', api.withdraw),
    invite: logged('invite', api.invite),
    profileFor: async (profile) => {
      const offered = (await index()).profile_versions ?? [];
      return offered.includes(profile.version) ? profile : asFirstVersion(profile);
    },
    version: async (kind) => {
      const offered = (await index()).payload_versions[kind] ?? [];
      const version = newestCommon(kind, offered);
      if (version !== null) return version;
      throw new Advice(
        `The survey takes ${kind} payloads of versions ${offered.join(', ') || 'none'}; this agent, ${agentVersion}, knows ${versionsOf(kind).join(', ')}. Use a version of the agent that fits.`,
      );
    },
  };
}
