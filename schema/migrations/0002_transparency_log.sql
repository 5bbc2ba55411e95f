-- The log of before keeps its rows under another name until the code has given each its leaf (store/carry-over.ts).
ALTER TABLE `log` RENAME TO `log_before`;
--> statement-breakpoint
DROP INDEX `log_commitment_unique`;
--> statement-breakpoint
CREATE TABLE `log_entries` (
	`log_index` integer PRIMARY KEY NOT NULL,
	`kind` text NOT NULL,
	`entry` text NOT NULL,
	`leaf_hash` text NOT NULL,
	`envelope_hash` text,
	`envelope_salt` text,
	`row` text,
	`row_salt` text,
	`population` text,
	`machine` text,
	`owner` text
);
--> statement-breakpoint
CREATE INDEX `log_entries_by_machine` ON `log_entries` (`machine`);
--> statement-breakpoint
CREATE INDEX `log_entries_by_owner` ON `log_entries` (`owner`);
--> statement-breakpoint
CREATE INDEX `log_entries_by_envelope` ON `log_entries` (`envelope_hash`);
--> statement-breakpoint
CREATE TABLE `envelopes` (
	`hash` text PRIMARY KEY NOT NULL,
	`kind` text NOT NULL,
	`key` text NOT NULL,
	`payload` blob NOT NULL,
	`signature` blob NOT NULL
);
--> statement-breakpoint
CREATE TABLE `tree_nodes` (
	`level` integer NOT NULL,
	`position` integer NOT NULL,
	`hash` text NOT NULL,
	PRIMARY KEY(`level`, `position`)
);
--> statement-breakpoint
CREATE TABLE `checkpoints` (
	`size` integer PRIMARY KEY NOT NULL,
	`root` text NOT NULL,
	`note` text NOT NULL,
	`token` integer NOT NULL,
	`signed_at_ms` integer NOT NULL,
	`published` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `cosignatures` (
	`size` integer NOT NULL,
	`witness` text NOT NULL,
	`line` text NOT NULL,
	PRIMARY KEY(`size`, `witness`)
);
--> statement-breakpoint
CREATE TABLE `sequencer` (
	`id` integer PRIMARY KEY NOT NULL,
	`holder` text NOT NULL,
	`token` integer NOT NULL,
	`expires_at_ms` integer NOT NULL,
	`halted` text
);
--> statement-breakpoint
CREATE TABLE `owners` (
	`owner` text PRIMARY KEY NOT NULL,
	`root` text NOT NULL,
	`successor` text,
	`withdrawn_index` integer,
	`seen_at_ms` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `owners_current` ON `owners` (`root`) WHERE "owners"."successor" is null;
--> statement-breakpoint
CREATE TABLE `trust` (
	`from_index` integer PRIMARY KEY NOT NULL,
	`owner` text NOT NULL,
	`label` text NOT NULL,
	`invited_by` text,
	`depth` integer NOT NULL,
	`ordinal` integer,
	`since_ms` integer NOT NULL,
	`until_index` integer
);
--> statement-breakpoint
CREATE INDEX `trust_by_owner` ON `trust` (`owner`,`from_index`);
--> statement-breakpoint
CREATE UNIQUE INDEX `trust_by_inviter` ON `trust` (`invited_by`,`ordinal`);
--> statement-breakpoint
CREATE TABLE `holds` (
	`from_index` integer PRIMARY KEY NOT NULL,
	`label` text NOT NULL,
	`subject_kind` text NOT NULL,
	`subject` text NOT NULL,
	`since_index` integer NOT NULL,
	`until_index` integer
);
--> statement-breakpoint
CREATE INDEX `holds_by_subject` ON `holds` (`subject_kind`,`subject`);
--> statement-breakpoint
INSERT INTO `envelopes` SELECT r.report_hash, 'report', r.machine, b.payload, b.signature
	FROM `report_bodies` b JOIN `reports` r ON r.log_index = b.log_index;
--> statement-breakpoint
INSERT INTO `owners` SELECT owner, owner, NULL, NULL, min(enrolled_at_ms) FROM `machines` GROUP BY owner;
--> statement-breakpoint
ALTER TABLE `profiles` ADD `log_index` integer;
--> statement-breakpoint
DROP INDEX `facts_by_nonce`;
--> statement-breakpoint
DROP INDEX `facts_by_cell`;
--> statement-breakpoint
CREATE TABLE `facts_next` (
	`log_index` integer NOT NULL,
	`nonce` text NOT NULL,
	`kind` text NOT NULL,
	`machine` text NOT NULL,
	`owner` text NOT NULL,
	`agent_version` text,
	`scenario_set` text NOT NULL,
	`control` integer NOT NULL,
	`population` text NOT NULL,
	`driver` text NOT NULL,
	`role` text NOT NULL,
	`chipset` text NOT NULL,
	`kernel_series` text NOT NULL,
	`crash_point` text NOT NULL,
	`crash_type` text NOT NULL,
	`load` text NOT NULL,
	`mitigation` text NOT NULL,
	`set_up` text DEFAULT 'panic' NOT NULL,
	`mechanism` text NOT NULL,
	`environment` text NOT NULL,
	`result` text NOT NULL,
	`stage` text,
	`report_by_ms` integer,
	PRIMARY KEY(`log_index`, `driver`, `role`)
);
--> statement-breakpoint
INSERT INTO `facts_next` (log_index, nonce, kind, machine, owner, agent_version, scenario_set, control, population, driver, role, chipset, kernel_series, crash_point, crash_type, load, mitigation, set_up, mechanism, environment, result, stage, report_by_ms) SELECT f.log_index, f.nonce, f.kind, f.machine, m.owner,
	(SELECT json_extract(CAST(b.payload AS text), '$.agent_version') FROM `report_bodies` b WHERE b.log_index = f.log_index),
	t.scenario_set, 0, f.population, f.driver, f.role, f.chipset, f.kernel_series, f.crash_point, f.crash_type, f.load,
	f.mitigation, f.set_up, f.mechanism, f.environment, f.result, f.stage, f.report_by_ms
	FROM `facts` f JOIN `machines` m ON m.machine = f.machine JOIN `tickets` t ON t.nonce = f.nonce;
--> statement-breakpoint
DROP TABLE `facts`;
--> statement-breakpoint
ALTER TABLE `facts_next` RENAME TO `facts`;
--> statement-breakpoint
CREATE INDEX `facts_by_nonce` ON `facts` (`nonce`,`kind`,`log_index`);
--> statement-breakpoint
CREATE INDEX `facts_by_cell` ON `facts` (`population`,`driver`,`role`,`crash_type`,`log_index`,`kind`,`result`,`nonce`,`machine`,`owner`);
--> statement-breakpoint
DROP INDEX `reports_nonce_unique`;
--> statement-breakpoint
DROP INDEX `reports_report_hash_unique`;
--> statement-breakpoint
CREATE TABLE `reports_next` (
	`log_index` integer PRIMARY KEY NOT NULL,
	`nonce` text NOT NULL,
	`ordinal` integer NOT NULL,
	`report_hash` text NOT NULL,
	`machine` text NOT NULL,
	`agent_version` text NOT NULL,
	`admitted_at_ms` integer NOT NULL,
	`labels` text NOT NULL,
	`outcome` text NOT NULL
);
--> statement-breakpoint
INSERT INTO `reports_next` (log_index, nonce, ordinal, report_hash, machine, agent_version, admitted_at_ms, labels, outcome) SELECT r.log_index, r.nonce, 0, r.report_hash, r.machine,
	json_extract(CAST(b.payload AS text), '$.agent_version'), r.admitted_at_ms, r.labels, r.outcome
	FROM `reports` r JOIN `report_bodies` b ON b.log_index = r.log_index;
--> statement-breakpoint
DROP TABLE `reports`;
--> statement-breakpoint
ALTER TABLE `reports_next` RENAME TO `reports`;
--> statement-breakpoint
CREATE UNIQUE INDEX `reports_report_hash_unique` ON `reports` (`report_hash`);
--> statement-breakpoint
CREATE UNIQUE INDEX `reports_by_trial` ON `reports` (`nonce`,`ordinal`);
--> statement-breakpoint
DROP TABLE `report_bodies`;
--> statement-breakpoint
DROP INDEX `tickets_log_index_unique`;
--> statement-breakpoint
DROP INDEX `tickets_by_request`;
--> statement-breakpoint
CREATE TABLE `tickets_next` (
	`nonce` text PRIMARY KEY NOT NULL,
	`machine` text NOT NULL,
	`request` text NOT NULL,
	`ordinal` integer NOT NULL,
	`log_index` integer NOT NULL,
	`root` text NOT NULL,
	`owner` text NOT NULL,
	`control` integer DEFAULT false NOT NULL,
	`profile_sha256` text NOT NULL,
	`population` text NOT NULL,
	`scenario_set` text NOT NULL,
	`crash_point` text NOT NULL,
	`crash_type` text NOT NULL,
	`load` text NOT NULL,
	`mitigation` text NOT NULL,
	`set_up` text DEFAULT 'panic' NOT NULL,
	`in_flight_min` integer NOT NULL,
	`mechanism` text NOT NULL,
	`environment` text NOT NULL,
	`issued_at_ms` integer NOT NULL,
	`arm_by_ms` integer NOT NULL,
	`report_by_ms` integer NOT NULL
);
--> statement-breakpoint
INSERT INTO `tickets_next` (nonce, machine, request, ordinal, log_index, root, owner, control, profile_sha256, population, scenario_set, crash_point, crash_type, load, mitigation, set_up, in_flight_min, mechanism, environment, issued_at_ms, arm_by_ms, report_by_ms) SELECT t.nonce, t.machine, t.request, t.ordinal, t.log_index, t.machine, m.owner, 0, t.profile_sha256, t.population, t.scenario_set,
	t.crash_point, t.crash_type, t.load, t.mitigation, t.set_up, t.in_flight_min, t.mechanism, t.environment,
	t.issued_at_ms, t.arm_by_ms, t.report_by_ms
	FROM `tickets` t JOIN `machines` m ON m.machine = t.machine;
--> statement-breakpoint
DROP TABLE `tickets`;
--> statement-breakpoint
ALTER TABLE `tickets_next` RENAME TO `tickets`;
--> statement-breakpoint
CREATE UNIQUE INDEX `tickets_log_index_unique` ON `tickets` (`log_index`);
--> statement-breakpoint
CREATE UNIQUE INDEX `tickets_by_request` ON `tickets` (`machine`,`request`,`ordinal`);
--> statement-breakpoint
CREATE INDEX `tickets_by_root` ON `tickets` (`root`,`report_by_ms`);
--> statement-breakpoint
CREATE INDEX `tickets_by_owner` ON `tickets` (`owner`,`report_by_ms`);
--> statement-breakpoint
CREATE TABLE `machines_next` (
	`machine` text PRIMARY KEY NOT NULL,
	`owner` text NOT NULL,
	`root` text NOT NULL,
	`successor` text,
	`withdrawn_index` integer,
	`enrolled_at_ms` integer NOT NULL
);
--> statement-breakpoint
INSERT INTO `machines_next` (machine, owner, root, successor, withdrawn_index, enrolled_at_ms) SELECT machine, owner, machine, NULL, NULL, enrolled_at_ms FROM `machines`;
--> statement-breakpoint
DROP TABLE `machines`;
--> statement-breakpoint
ALTER TABLE `machines_next` RENAME TO `machines`;
--> statement-breakpoint
CREATE INDEX `machines_by_owner` ON `machines` (`owner`);
--> statement-breakpoint
CREATE UNIQUE INDEX `machines_current` ON `machines` (`root`) WHERE "machines"."successor" is null;
--> statement-breakpoint
CREATE TABLE `editions_next` (
	`number` integer PRIMARY KEY NOT NULL,
	`log_size` integer NOT NULL,
	`cut_off_ms` integer NOT NULL,
	`statistics_sha256` text NOT NULL,
	`checkpoint` text NOT NULL,
	`published_at_ms` integer NOT NULL
);
--> statement-breakpoint
INSERT INTO `editions_next` (number, log_size, cut_off_ms, statistics_sha256, checkpoint, published_at_ms) SELECT number, log_size, cut_off_ms, statistics_sha256, '', published_at_ms FROM `editions`;
--> statement-breakpoint
DROP TABLE `editions`;
--> statement-breakpoint
ALTER TABLE `editions_next` RENAME TO `editions`;
