CREATE TABLE `notices_incidents` (
	`id` text PRIMARY KEY NOT NULL,
	`job_id` text NOT NULL,
	`kind` text NOT NULL,
	`detail` text NOT NULL,
	`opened_at` integer NOT NULL,
	`closed_at` integer,
	`told_at` integer
);
--> statement-breakpoint
CREATE UNIQUE INDEX `notices_incidents_open` ON `notices_incidents` (`job_id`,`kind`) WHERE "notices_incidents"."closed_at" is null;--> statement-breakpoint
CREATE INDEX `notices_incidents_by_age` ON `notices_incidents` (`opened_at`);--> statement-breakpoint
CREATE TABLE `notices_messages` (
	`id` text PRIMARY KEY NOT NULL,
	`incident_id` text,
	`kind` text NOT NULL,
	`channel` text NOT NULL,
	`content` text NOT NULL,
	`status` text NOT NULL,
	`attempts` integer NOT NULL,
	`next_at` integer NOT NULL,
	`created_at` integer NOT NULL,
	`finished_at` integer,
	`error` text
);
--> statement-breakpoint
CREATE UNIQUE INDEX `notices_messages_once` ON `notices_messages` (`incident_id`,`kind`,`channel`);--> statement-breakpoint
CREATE INDEX `notices_messages_due` ON `notices_messages` (`status`,`next_at`);--> statement-breakpoint
CREATE INDEX `notices_messages_by_age` ON `notices_messages` (`created_at`);--> statement-breakpoint
CREATE TABLE `notices_progress` (
	`id` integer PRIMARY KEY NOT NULL,
	`missed_told_before` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `notices_settings` (
	`id` integer PRIMARY KEY NOT NULL,
	`email_to` text NOT NULL,
	`smtp_url_sealed` text NOT NULL,
	`smtp_from` text NOT NULL,
	`webhook_url_sealed` text NOT NULL,
	`webhook_secret_sealed` text NOT NULL,
	`heartbeat_url_sealed` text NOT NULL,
	`failures_in_a_row` integer NOT NULL
);
