/** The shapes that the document names once and refers to. A shape that is not named here gets the name of its operation. */
import { afterReboot } from '../../schema/after-reboot.ts';
import { apiIndexAnswer } from '../../schema/answer/api-index.ts';
import { controlsAnswer } from '../../schema/answer/controls.ts';
import { decidedEntry, decisionsAnswer } from '../../schema/answer/decisions.ts';
import { driverAnswer, failureEntry, funnelCounts } from '../../schema/answer/driver.ts';
import { editionAnswer, editionsAnswer, manifest } from '../../schema/answer/edition.ts';
import { consistencyAnswer, inclusionAnswer } from '../../schema/answer/log.ts';
import { readinessAnswer } from '../../schema/answer/readiness.ts';
import {
  labReport,
  reportAnswer,
  reportSummary,
  reportsAnswer,
  withheldReport,
} from '../../schema/answer/report.ts';
import { campaignProgress, statusAnswer, ticketCounts } from '../../schema/answer/status.ts';
import { envelope } from '../../schema/envelope.ts';
import { dumpFinding, evidence, sighting, trigger, watchedEvidence } from '../../schema/evidence.ts';
import { outcome } from '../../schema/outcome.ts';
import { problemDocument } from '../../schema/problem.ts';
import { device, profile } from '../../schema/profile.ts';
import { cell, keyedCell, statisticsAnswer } from '../../schema/statistics.ts';
import {
  armedAnswer,
  armedBody,
  decisionBody,
  enrolBody,
  entryAnswer,
  instant,
  inviteBody,
  machineAnswer,
  nonce,
  promiseBody,
  publicKey,
  receipt,
  reportBody,
  revokeBody,
  rotateBody,
  scenarioFields,
  sha256Hex,
  ticket,
  ticketsAnswer,
  ticketsBody,
  withdrawBody,
} from '../../schema/wire.ts';

/** Shapes by name, those that travel first. */
export const components = {
  Envelope: envelope,
  Enrollment: enrolBody,
  TicketRequest: ticketsBody,
  ArmedNote: armedBody,
  Report: reportBody,
  Rotation: rotateBody,
  Revocation: revokeBody,
  Withdrawal: withdrawBody,
  Invitation: inviteBody,
  Decision: decisionBody,
  Machine: machineAnswer,
  Tickets: ticketsAnswer,
  ArmedReceipt: armedAnswer,
  Receipt: receipt,
  EntryReceipt: entryAnswer,
  Promise: promiseBody,
  ApiIndex: apiIndexAnswer,
  Status: statusAnswer,
  Statistics: statisticsAnswer,
  Editions: editionsAnswer,
  Edition: editionAnswer,
  EditionManifest: manifest,
  Controls: controlsAnswer,
  Decisions: decisionsAnswer,
  DecidedEntry: decidedEntry,
  Inclusion: inclusionAnswer,
  Consistency: consistencyAnswer,
  Readiness: readinessAnswer,
  Reports: reportsAnswer,
  PublishedReport: reportAnswer,
  LabReport: labReport,
  WithheldReport: withheldReport,
  Driver: driverAnswer,
  Problem: problemDocument,
  Profile: profile,
  Device: device,
  Scenario: scenarioFields,
  Ticket: ticket,
  Evidence: evidence,
  WatchedEvidence: watchedEvidence,
  AfterReboot: afterReboot,
  Trigger: trigger,
  Sighting: sighting,
  DumpFinding: dumpFinding,
  Outcome: outcome,
  Cell: cell,
  KeyedCell: keyedCell,
  ReportSummary: reportSummary,
  FailureEntry: failureEntry,
  FunnelCounts: funnelCounts,
  CampaignProgress: campaignProgress,
  TicketCounts: ticketCounts,
  PublicKey: publicKey,
  Nonce: nonce,
  Sha256: sha256Hex,
  Instant: instant,
};
