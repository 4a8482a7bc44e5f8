CREATE TABLE `billing_customers` (
	`account_id` text NOT NULL,
	`live` integer NOT NULL,
	`customer_id` text NOT NULL,
	`created_at` integer NOT NULL,
	`read_at` integer,
	`error` text,
	PRIMARY KEY(`account_id`, `live`)
);
--> statement-breakpoint
CREATE UNIQUE INDEX `billing_customers_customer_id_unique` ON `billing_customers` (`customer_id`);--> statement-breakpoint
CREATE TABLE `billing_events` (
	`id` text PRIMARY KEY NOT NULL,
	`type` text NOT NULL,
	`live` integer NOT NULL,
	`customer_id` text,
	`status` text NOT NULL,
	`attempts` integer NOT NULL,
	`next_at` integer NOT NULL,
	`created_at` integer NOT NULL,
	`received_at` integer NOT NULL,
	`finished_at` integer,
	`error` text
);
--> statement-breakpoint
CREATE INDEX `billing_events_due` ON `billing_events` (`status`,`next_at`);--> statement-breakpoint
CREATE INDEX `billing_events_by_age` ON `billing_events` (`received_at`);--> statement-breakpoint
CREATE TABLE `billing_standings` (
	`account_id` text PRIMARY KEY NOT NULL,
	`state` text NOT NULL,
	`since` integer NOT NULL,
	`previous` text
);
--> statement-breakpoint
CREATE TABLE `billing_subscriptions` (
	`id` text PRIMARY KEY NOT NULL,
	`customer_id` text NOT NULL,
	`status` text NOT NULL,
	`status_since` integer NOT NULL,
	`price_id` text,
	`created_at` integer NOT NULL,
	`period_ends_at` integer,
	`cancel_at` integer,
	`ended_at` integer
);
--> statement-breakpoint
CREATE INDEX `billing_subscriptions_customer` ON `billing_subscriptions` (`customer_id`);--> statement-breakpoint
CREATE TABLE `billing_trials` (
	`account_id` text PRIMARY KEY NOT NULL,
	`started_at` integer NOT NULL,
	`ends_at` integer NOT NULL
);
