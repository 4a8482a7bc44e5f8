CREATE TABLE `alerts_alerts` (
	`id` text PRIMARY KEY NOT NULL,
	`kind` text NOT NULL,
	`subject` text NOT NULL,
	`subdomain` text,
	`summary` text NOT NULL,
	`detail` text NOT NULL,
	`urgency` text NOT NULL,
	`path` text NOT NULL,
	`opened_at` integer NOT NULL,
	`gone_at` integer,
	`notified_at` integer,
	`reminded_at` integer,
	`closed_at` integer
);
--> statement-breakpoint
CREATE UNIQUE INDEX `alerts_alerts_open` ON `alerts_alerts` (`kind`,`subject`) WHERE "alerts_alerts"."closed_at" is null;--> statement-breakpoint
CREATE INDEX `alerts_alerts_closed` ON `alerts_alerts` (`closed_at`);--> statement-breakpoint
CREATE TABLE `alerts_messages` (
	`id` text PRIMARY KEY NOT NULL,
	`channel` text NOT NULL,
	`notice` text NOT NULL,
	`status` text NOT NULL,
	`attempts` integer NOT NULL,
	`next_at` integer NOT NULL,
	`created_at` integer NOT NULL,
	`finished_at` integer,
	`error` text
);
--> statement-breakpoint
CREATE INDEX `alerts_messages_due` ON `alerts_messages` (`status`,`next_at`);--> statement-breakpoint
CREATE TABLE `alerts_silences` (
	`id` text PRIMARY KEY NOT NULL,
	`kind` text,
	`subdomain` text,
	`silent_until` integer NOT NULL,
	`created_at` integer NOT NULL
);
