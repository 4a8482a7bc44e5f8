CREATE TABLE `tokens_tokens` (
	`id` text PRIMARY KEY NOT NULL,
	`name` text NOT NULL,
	`role` text NOT NULL,
	`instances` text,
	`hash` text NOT NULL,
	`hint` text NOT NULL,
	`created_at` integer NOT NULL,
	`created_by` text NOT NULL,
	`expires_at` integer,
	`last_used_at` integer,
	`last_used_from` text
);
--> statement-breakpoint
CREATE UNIQUE INDEX `tokens_tokens_name_unique` ON `tokens_tokens` (`name`);--> statement-breakpoint
CREATE UNIQUE INDEX `tokens_tokens_hash_unique` ON `tokens_tokens` (`hash`);