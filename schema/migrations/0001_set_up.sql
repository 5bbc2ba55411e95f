ALTER TABLE `facts` ADD `set_up` text DEFAULT 'panic' NOT NULL;--> statement-breakpoint
ALTER TABLE `tickets` ADD `set_up` text DEFAULT 'panic' NOT NULL;