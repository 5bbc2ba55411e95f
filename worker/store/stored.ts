/** What the store holds as text or bytes, read. All of it was checked when it was admitted, under the field list of that time. */
import { completeProfile, completeReport } from '../../schema/earlier.ts';
import { type Profile, profile } from '../../schema/profile.ts';
import { type ReportBody, reportBody } from '../../schema/wire.ts';

/** A profile from its text. */
export function storedProfile(text: string): Profile {
  return profile.parse(completeProfile(JSON.parse(text)));
}

/** The body of a report from its signed bytes. */
export function storedReport(payload: Uint8Array): ReportBody {
  return reportBody.parse(completeReport(JSON.parse(new TextDecoder().decode(payload))));
}
