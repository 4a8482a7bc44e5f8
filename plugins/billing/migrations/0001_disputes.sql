CREATE TABLE `billing_disputes` (
	`id` text PRIMARY KEY NOT NULL,
	`live` integer NOT NULL,
	`customer_id` text,
	`amount` integer NOT NULL,
	`currency` text NOT NULL,
	`reason` text NOT NULL,
	`status` text NOT NULL,
	`answer_by` integer,
	`created_at` integer NOT NULL
);
--> statement-breakpoint
ALTER TABLE `billing_customers` ADD `told_email` text;