/** The shapes that the document names once and refers to. A shape that is not named here gets the name of its operation. */
import { apiIndexAnswer } from '../../schema/answer/api-index.ts';
import { driverAnswer, failureEntry, funnelCounts } from '../../schema/answer/driver.ts';
import { editionsAnswer, manifest } from '../../schema/answer/edition.ts';
import {
  labReport,
  reportAnswer,
  reportSummary,
  reportsAnswer,
  withheldReport,
} from '../../schema/answer/report.ts';
import { campaignProgress, statusAnswer } from '../../schema/answer/status.ts';
import { envelope } from '../../schema/envelope.ts';
import { dumpFinding, evidence, sighting, trigger } from '../../schema/evidence.ts';
import { outcome } from '../../schema/outcome.ts';
import { problemDocument } from '../../schema/problem.ts';
import { device, profile } from '../../schema/profile.ts';
import { cell, keyedCell, statisticsAnswer } from '../../schema/statistics.ts';
import {
  armedAnswer,
  armedBody,
  enrolBody,
  instant,
  machineAnswer,
  nonce,
  publicKey,
  receipt,
  reportBody,
  scenarioFields,
  sha256Hex,
  ticket,
  ticketsAnswer,
  ticketsBody,
} from '../../schema/wire.ts';

/** Shapes by name, those that travel first. */
export const components = {
  Envelope: envelope,
  Enrollment: enrolBody,
  TicketRequest: ticketsBody,
  ArmedNote: armedBody,
  Report: reportBody,
  Machine: machineAnswer,
  Tickets: ticketsAnswer,
  ArmedReceipt: armedAnswer,
  Receipt: receipt,
  ApiIndex: apiIndexAnswer,
  Status: statusAnswer,
  Statistics: statisticsAnswer,
  Editions: editionsAnswer,
  Edition: manifest,
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
  PublicKey: publicKey,
  Nonce: nonce,
  Sha256: sha256Hex,
  Instant: instant,
};
