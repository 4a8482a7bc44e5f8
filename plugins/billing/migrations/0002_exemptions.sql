CREATE TABLE `billing_exemptions` (
	`id` text PRIMARY KEY NOT NULL,
	`account_id` text NOT NULL,
	`plan_id` text NOT NULL,
	`why` text NOT NULL,
	`by` text NOT NULL,
	`since` integer NOT NULL,
	`ended_at` integer,
	`ended_by` text,
	`ended_why` text
);
--> statement-breakpoint
CREATE UNIQUE INDEX `billing_exemptions_open` ON `billing_exemptions` (`account_id`) WHERE "billing_exemptions"."ended_at" is null;--> statement-breakpoint
CREATE INDEX `billing_exemptions_account` ON `billing_exemptions` (`account_id`);