CREATE TABLE `daily_counts` (
	`day` text NOT NULL,
	`bucket` text NOT NULL,
	`count` integer NOT NULL,
	PRIMARY KEY(`day`, `bucket`)
);
--> statement-breakpoint
CREATE TABLE `daily_keys` (
	`day` text PRIMARY KEY NOT NULL,
	`key` blob NOT NULL
);
