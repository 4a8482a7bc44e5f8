CREATE TABLE `operators_operators` (
	`id` text PRIMARY KEY NOT NULL,
	`name` text NOT NULL,
	`email` text NOT NULL,
	`role` text NOT NULL,
	`created_at` integer NOT NULL,
	`created_by` text NOT NULL,
	`joined_at` integer,
	`last_sign_in_at` integer,
	`invitation_hash` text,
	`invited_until` integer,
	`password_hash` text,
	`app_secret` text,
	`app_draft` text,
	`app_step` integer,
	`issuer` text,
	`subject` text
);
--> statement-breakpoint
CREATE UNIQUE INDEX `operators_operators_email_unique` ON `operators_operators` (`email`);--> statement-breakpoint
CREATE UNIQUE INDEX `operators_operators_invitation_hash_unique` ON `operators_operators` (`invitation_hash`);--> statement-breakpoint
CREATE UNIQUE INDEX `operators_operators_subject` ON `operators_operators` (`issuer`,`subject`);--> statement-breakpoint
CREATE TABLE `operators_passkeys` (
	`id` text PRIMARY KEY NOT NULL,
	`operator_id` text NOT NULL,
	`name` text NOT NULL,
	`public_key` blob NOT NULL,
	`counter` integer NOT NULL,
	`transports` text NOT NULL,
	`created_at` integer NOT NULL,
	`last_used_at` integer,
	FOREIGN KEY (`operator_id`) REFERENCES `operators_operators`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE TABLE `operators_recovery_codes` (
	`hash` text PRIMARY KEY NOT NULL,
	`operator_id` text NOT NULL,
	FOREIGN KEY (`operator_id`) REFERENCES `operators_operators`(`id`) ON UPDATE no action ON DELETE cascade
);
