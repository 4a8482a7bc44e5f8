CREATE TABLE `mail_messages` (
	`id` text PRIMARY KEY NOT NULL,
	`key` text NOT NULL,
	`to_address` text NOT NULL,
	`subject` text NOT NULL,
	`text` text,
	`html` text,
	`status` text NOT NULL,
	`attempts` integer NOT NULL,
	`next_at` integer NOT NULL,
	`created_at` integer NOT NULL,
	`finished_at` integer,
	`error` text
);
--> statement-breakpoint
CREATE UNIQUE INDEX `mail_messages_key_unique` ON `mail_messages` (`key`);--> statement-breakpoint
CREATE INDEX `mail_messages_due` ON `mail_messages` (`status`,`next_at`);--> statement-breakpoint
CREATE INDEX `mail_messages_by_age` ON `mail_messages` (`created_at`);