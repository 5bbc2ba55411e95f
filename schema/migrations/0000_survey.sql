CREATE TABLE `armed_notes` (
	`nonce` text PRIMARY KEY NOT NULL,
	`log_index` integer NOT NULL,
	`armed_at_ms` integer NOT NULL,
	`admitted_at_ms` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `armed_notes_log_index_unique` ON `armed_notes` (`log_index`);--> statement-breakpoint
CREATE TABLE `editions` (
	`number` integer PRIMARY KEY NOT NULL,
	`log_size` integer NOT NULL,
	`cut_off_ms` integer NOT NULL,
	`statistics_sha256` text NOT NULL,
	`published_at_ms` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `facts` (
	`log_index` integer NOT NULL,
	`nonce` text NOT NULL,
	`kind` text NOT NULL,
	`machine` text NOT NULL,
	`population` text NOT NULL,
	`driver` text NOT NULL,
	`role` text NOT NULL,
	`chipset` text NOT NULL,
	`kernel_series` text NOT NULL,
	`crash_point` text NOT NULL,
	`crash_type` text NOT NULL,
	`load` text NOT NULL,
	`mitigation` text NOT NULL,
	`mechanism` text NOT NULL,
	`environment` text NOT NULL,
	`result` text NOT NULL,
	`stage` text,
	`report_by_ms` integer,
	PRIMARY KEY(`log_index`, `driver`, `role`)
);
--> statement-breakpoint
CREATE INDEX `facts_by_nonce` ON `facts` (`nonce`,`kind`,`log_index`);--> statement-breakpoint
CREATE INDEX `facts_by_cell` ON `facts` (`population`,`driver`,`role`,`crash_type`,`log_index`,`kind`,`result`,`nonce`,`machine`);--> statement-breakpoint
CREATE TABLE `log` (
	`log_index` integer PRIMARY KEY NOT NULL,
	`kind` text NOT NULL,
	`commitment` text NOT NULL,
	`salt` text NOT NULL,
	`appended_at_ms` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `log_commitment_unique` ON `log` (`commitment`);--> statement-breakpoint
CREATE TABLE `machines` (
	`machine` text PRIMARY KEY NOT NULL,
	`owner` text NOT NULL,
	`reference` integer NOT NULL,
	`enrolled_at_ms` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `profiles` (
	`machine` text NOT NULL,
	`profile_sha256` text NOT NULL,
	`profile` text NOT NULL,
	`admitted_at_ms` integer NOT NULL,
	PRIMARY KEY(`machine`, `profile_sha256`)
);
--> statement-breakpoint
CREATE TABLE `report_bodies` (
	`log_index` integer PRIMARY KEY NOT NULL,
	`payload` blob NOT NULL,
	`signature` blob NOT NULL
);
--> statement-breakpoint
CREATE TABLE `reports` (
	`log_index` integer PRIMARY KEY NOT NULL,
	`nonce` text NOT NULL,
	`report_hash` text NOT NULL,
	`machine` text NOT NULL,
	`admitted_at_ms` integer NOT NULL,
	`labels` text NOT NULL,
	`outcome` text NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `reports_nonce_unique` ON `reports` (`nonce`);--> statement-breakpoint
CREATE UNIQUE INDEX `reports_report_hash_unique` ON `reports` (`report_hash`);--> statement-breakpoint
CREATE TABLE `tickets` (
	`nonce` text PRIMARY KEY NOT NULL,
	`machine` text NOT NULL,
	`request` text NOT NULL,
	`ordinal` integer NOT NULL,
	`log_index` integer NOT NULL,
	`profile_sha256` text NOT NULL,
	`population` text NOT NULL,
	`scenario_set` text NOT NULL,
	`crash_point` text NOT NULL,
	`crash_type` text NOT NULL,
	`load` text NOT NULL,
	`mitigation` text NOT NULL,
	`in_flight_min` integer NOT NULL,
	`mechanism` text NOT NULL,
	`environment` text NOT NULL,
	`issued_at_ms` integer NOT NULL,
	`arm_by_ms` integer NOT NULL,
	`report_by_ms` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `tickets_log_index_unique` ON `tickets` (`log_index`);--> statement-breakpoint
CREATE UNIQUE INDEX `tickets_by_request` ON `tickets` (`machine`,`request`,`ordinal`);