CREATE TABLE `auth_account_sessions` (
	`id` text PRIMARY KEY NOT NULL,
	`secret_hash` text NOT NULL,
	`account_id` text NOT NULL,
	`browser` text NOT NULL,
	`created_at` integer NOT NULL,
	`last_seen_at` integer NOT NULL,
	FOREIGN KEY (`account_id`) REFERENCES `auth_accounts`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE UNIQUE INDEX `auth_account_sessions_secret_hash_unique` ON `auth_account_sessions` (`secret_hash`);--> statement-breakpoint
CREATE INDEX `auth_account_sessions_account` ON `auth_account_sessions` (`account_id`);--> statement-breakpoint
CREATE TABLE `auth_accounts` (
	`id` text PRIMARY KEY NOT NULL,
	`issuer` text NOT NULL,
	`subject` text NOT NULL,
	`email` text NOT NULL,
	`name` text,
	`created_at` integer NOT NULL,
	`last_sign_in_at` integer NOT NULL,
	`closed_at` integer,
	`erased_at` integer
);
--> statement-breakpoint
CREATE UNIQUE INDEX `auth_accounts_subject` ON `auth_accounts` (`issuer`,`subject`);--> statement-breakpoint
CREATE INDEX `auth_accounts_email` ON `auth_accounts` (`email`);