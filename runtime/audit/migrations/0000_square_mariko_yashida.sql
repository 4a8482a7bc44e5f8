CREATE TABLE `audit_entries` (
	`seq` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`at` integer NOT NULL,
	`actor_kind` text,
	`actor_name` text,
	`address` text NOT NULL,
	`action` text NOT NULL,
	`summary` text NOT NULL,
	`target` text NOT NULL,
	`fields` text NOT NULL,
	`status` integer NOT NULL,
	`request_id` text NOT NULL
);
--> statement-breakpoint
CREATE INDEX `audit_entries_by_age` ON `audit_entries` (`at`);