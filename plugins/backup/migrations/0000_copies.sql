CREATE TABLE `backup_control_copies` (
	`id` text PRIMARY KEY NOT NULL,
	`created_at` integer NOT NULL,
	`snapshot` text NOT NULL,
	`bytes` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `backup_copies` (
	`id` text PRIMARY KEY NOT NULL,
	`instance_id` text NOT NULL,
	`subdomain` text NOT NULL,
	`reason` text NOT NULL,
	`status` text NOT NULL,
	`operation_id` text,
	`image` text NOT NULL,
	`created_at` integer NOT NULL,
	`finished_at` integer,
	`snapshot` text,
	`bytes` integer,
	`stored_bytes` integer,
	`error` text,
	`unread` integer DEFAULT 0 NOT NULL,
	`proven_at` integer,
	`tried_at` integer,
	`fault` text
);
--> statement-breakpoint
CREATE INDEX `backup_copies_instance` ON `backup_copies` (`instance_id`,`created_at`);--> statement-breakpoint
CREATE INDEX `backup_copies_status` ON `backup_copies` (`status`);--> statement-breakpoint
CREATE UNIQUE INDEX `backup_copies_operation` ON `backup_copies` (`operation_id`) WHERE "backup_copies"."operation_id" is not null;